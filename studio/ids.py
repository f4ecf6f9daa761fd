"""Ids of entities: a prefix that says what it is, and twelve characters nobody else will choose.

Two clients may create "the same" thing: then its id is a function of the thing (a derived id).
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {"tracks": "t", "clips": "c", "markers": "m", "notes": "n", "effects": "e", "assets": "a"}
)
_ID: Final = re.compile(r"[tcmneaps]_[0-9A-Za-z]{12}")
_SPLIT: Final = re.compile(r".{1,64}@-?[0-9]+(~[0-9A-Za-z]{4})?")


def new_id(prefix: str, randbelow: Callable[[int], int]) -> str:
    """`<prefix>_<12 base62>`; `randbelow` is a CSPRNG's (secrets.randbelow)."""
    return f"{prefix}_" + "".join(ALPHABET[randbelow(62)] for _ in range(12))


def is_id(text: str, prefix: str | None = None) -> bool:
    """True for an id a client makes (of this prefix, if one is given)."""
    return _ID.fullmatch(text) is not None and (prefix is None or text[0] == prefix)


def split_id(take: str, content: int, randbelow: Callable[[int], int] | None = None) -> str:
    """The id of the right half of a clip split at `content`: `<take>@<content>`, or `…~<4 base62>` with `randbelow`."""
    plain = f"{take}@{content}"
    if randbelow is None:
        return plain
    return f"{plain}~" + "".join(ALPHABET[randbelow(62)] for _ in range(4))


def is_split_id(text: str) -> bool:
    """True for the id of a right half."""
    return _SPLIT.fullmatch(text) is not None


def lane_id(track: str, parameter: str) -> str:
    """The id of an automation lane."""
    return f"{track}.{parameter}"


def point_id(lane: str, point: str) -> str:
    """The id of an automation point on a lane."""
    return f"{lane}/{point}"


def send_id(track: str, bus: str) -> str:
    """The id of a track's send to a bus."""
    return f"{track}>{bus}"
