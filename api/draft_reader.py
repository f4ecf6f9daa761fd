"""`python -m api.draft_reader`: reads a draft in a process of its own, because nobody judged it.

A draft is what a client sent of another lineage. The collab server's gate did not look at where everything would stand,
and yrs trusts its input: what ends or stalls this process harms nobody. On stdin: the length of a state in 8 bytes,
the state, the update. On stdout: the canonical JSON of the update laid over the state, repaired.
"""

import json
import resource
import sys
from typing import Final

from studio.blank import open_doc
from studio.canonical import canonical
from studio.repair import Firsts, repair

MEMORY_BYTES_MAX: Final = 1 << 30
CPU_SECONDS_MAX: Final = 5


def main() -> None:
    """Ends with an error for whatever cannot be read."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    state, update = sys.stdin.buffer.read(size), sys.stdin.buffer.read()
    doc = open_doc()
    doc.apply_update(state)
    doc.apply_update(update)
    repair(doc, None, Firsts.of(doc))
    sys.stdout.write(json.dumps(canonical(doc), allow_nan=False))


if __name__ == "__main__":
    main()
