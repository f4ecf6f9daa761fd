"""`python -m tests.faults.table FILE`: the figures of a run of the fault tests as the README's Markdown table."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.figures import Figure, read

HEAD = "| fault | what musicians notice | measured | acknowledged edits lost |\n|---|---|---|---:|"


def table(figures: Sequence[Figure]) -> str:
    """One row per fault."""
    return "\n".join([HEAD, *(f"| {f.fault} | {f.noticed} | {f.measured} | {f.lost} |" for f in figures)])


if __name__ == "__main__":
    sys.stdout.write(table(read(Path(sys.argv[1]))) + "\n")
