"""Editing a Y.Text so that only what differs is rewritten: other people's words elsewhere in it stay."""

from itertools import takewhile

from pycrdt import Text


def rewrite(text: Text, now: str) -> None:
    """Make `text` say `now`. Inside a transaction. pycrdt counts UTF-8 bytes; code points are never cut."""
    was = str(text)
    head = _common(was, now)
    tail = _common(was[head:][::-1], now[head:][::-1])
    start = len(was[:head].encode())
    end = len(was[: len(was) - tail].encode())
    if end > start:
        del text[start:end]
    if added := now[head : len(now) - tail]:
        text.insert(start, added)


def _common(a: str, b: str) -> int:
    """How many characters two texts share at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
