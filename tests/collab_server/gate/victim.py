"""A process that gives pycrdt what the gate let through, and may die of it. Not a test: test_fuzz.py starts it.

stdin: 'R' = begin with an empty document; 'A' + 4 bytes length + update = apply it; 'V' + length + state vector =
encode for it. A and V are answered on stdout with one line of JSON: {"error": text or null, "cpu": seconds of the call,
"rss": bytes the peak grew, "state": [[client, clock]...], "own": [updates the victim made itself, in hex], "whole": the
document in hex when it was examined, else null, "deleted": an update that names what is deleted, in hex}.
"""

import json
import resource
import struct
import sys
import time
from typing import Any

from pycrdt import Doc, Map, Text

ROOTS = ("tracks", "clips", "notes", "transport")


def main() -> None:
    doc, turn = fresh(), 0
    stdin, stdout = sys.stdin.buffer, sys.stdout
    while order := stdin.read(1):
        if order == b"R":
            doc, turn = fresh(), 0
            continue
        (length,) = struct.unpack(">I", stdin.read(4))
        body = stdin.read(length)
        turn += order == b"A"
        rss, cpu, error, whole = peak(), time.process_time(), None, None
        own: list[str] = []
        try:
            if order == b"A":
                doc.apply_update(body)
            else:
                doc.get_update(body)
        except BaseException as raised:  # PanicException is not an Exception
            error = f"{type(raised).__name__}: {raised}"
        cpu = time.process_time() - cpu
        if error is None and order == b"A" and turn % 8 == 0:
            subscription = doc.observe(lambda event, made=own: made.append(event.update.hex()))
            error = examine(doc)
            doc.unobserve(subscription)
            whole = doc.get_update().hex()
        answer: dict[str, object] = {"error": error, "cpu": cpu, "rss": peak() - rss, "state": vector(doc.get_state())}
        answer |= {"own": own, "whole": whole, "deleted": doc.get_update(doc.get_state()).hex()}
        stdout.write(json.dumps(answer) + "\n")
        stdout.flush()


def fresh() -> Doc[Any]:
    """A document as the room holds it: every root a map, deep observers on."""
    doc: Doc[Any] = Doc(client_id=1)
    for name in ROOTS:
        doc.get(name, type=Map).observe_deep(lambda events: [event.path for event in events])
    return doc


def examine(doc: Doc[Any]) -> str | None:
    """What a room does with a document: reads it, encodes it, loads it again, edits it; the copy must be the same."""
    try:
        whole = doc.get_update()
        copy: Doc[Any] = Doc(client_id=2)
        copy.apply_update(whole)
        if dict(vector(copy.get_state())) != dict(vector(doc.get_state())):
            return "the copy has another state"
        for name in ROOTS:
            root = doc.get(name, type=Map)
            if repr(plain(root)) != repr(plain(copy.get(name, type=Map))):
                return "the copy reads differently"
            with doc.transaction(origin="repair"):
                for key in list(root.keys())[:2]:
                    value = root[key]
                    if isinstance(value, Text):
                        value.insert(0, "r")
                    elif isinstance(value, Map):
                        value["repaired"] = 1.0
    except BaseException as raised:
        return f"examine {type(raised).__name__}: {raised}"
    return None


def plain(value: object) -> object:
    """A value to compare. Of a text only which characters it has: a right origin that stands left of the left origin is
    well formed, its place is not, and the gate cannot tell."""
    if isinstance(value, Map):
        return {key: plain(value[key]) for key in sorted(value.keys())}
    if isinstance(value, Text):
        return sorted(str(value))
    return sorted(value.items()) if isinstance(value, dict) else value


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def vector(state: bytes) -> list[tuple[int, int]]:
    """Decode a state vector pycrdt made."""
    numbers: list[int] = []
    value = shift = 0
    for byte in state:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    return sorted(zip(numbers[1::2], numbers[2::2], strict=True))


if __name__ == "__main__":
    main()
