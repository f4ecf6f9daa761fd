"""Who somebody is, as the server writes it into their presence: the `user` of every state that is told of them.

Few states need to be taken apart for that: most differ from the one before only behind the client's own `user`, which
comes first. That head is cut off and the server's is put in its place; the rest stays the text that the gate has read.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from collab_server.gate.values import JSON

_USER: Final = '{"user":'

_SHORT: Final = 300
"""In so many signs no number is too large for a double, but one with an exponent."""
_EXPONENT: Final = re.compile(r"[0-9][eE]")
_EXPONENT_OF_NUMBER: Final = re.compile(r"[:,\[\s]-?[0-9.]+[eE]")
"""Slower, but it passes over most of what only looks so, as ids in strings do."""


class Stamp:
    """One person in one role."""

    __slots__ = ("_claim", "_head", "_identity")

    def __init__(self, identity: Mapping[str, str | bool]) -> None:
        self._identity = identity
        self._head = f"{_USER}{_WRITER.encode(identity)},"
        self._claim = "{"
        """How the last state began that the client sent: up to the comma behind its own `user`, if it has one."""

    def on(self, state: str) -> str:
        """The state, a JSON object that the gate has read, with `user` as the server knows it. ASCII JSON without
        infinite numbers, so that every client library can read it."""
        rest = self._behind_user(state)
        if len(rest) > _SHORT or rest[:1] != '"' or not rest.isascii():
            return self.rewritten(state)
        if '"user"' in rest or "\\" in rest or _has_exponent(rest):  # with a backslash `user` may be spelled otherwise
            return self.rewritten(state)
        return self._head + rest

    def rewritten(self, state: str) -> str:
        """The same for every state, by taking it apart."""
        fields = JSON.decode(state)
        fields["user"] = self._identity
        return _WRITER.encode(fields)

    def _behind_user(self, state: str) -> str:
        """What follows the client's own `user`. A text that begins like one that was read before, up to the comma
        behind a value, is read alike up to there."""
        if not state.startswith(self._claim) or (self._claim == "{" and state.startswith(_USER)):
            self._claim = _claim(state)
        return state[len(self._claim) :]


def _has_exponent(text: str) -> bool:
    """Whether a number may have one."""
    return _EXPONENT.search(text) is not None and _EXPONENT_OF_NUMBER.search(text) is not None


def _claim(state: str) -> str:
    if not state.startswith(_USER):
        return "{"
    try:
        _, end = JSON.raw_decode(state, len(_USER))
    except ValueError:  # it begins with a space
        return "{"
    return state[: end + 1] if state[end : end + 1] == "," else "{"


_WRITER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
"""Made once: json.dumps with options would make one for every state."""
