"""Restricted editors: what a membership's restriction lets an editor touch.

Stored as null, `{"only": "mix"}`, `{"only": "markers"}` or `{"only": "tracks", "tracks": [ids]}`. Notes are talk, not
music: every editor may write them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zlib import crc32

from studio.belonging import DYNAMIC, track_named
from studio.errors import Invalid
from studio.roles import Action
from studio.schema import ENTITIES
from studio.watch import Touched

TRACKS_MAX: Final = 64
TRACK_CHARS_MAX: Final = 160
TALK: Final = "notes"


class Only(StrEnum):
    """The kinds of restriction."""

    MIX = "mix"
    MARKERS = "markers"
    TRACKS = "tracks"


@dataclass(frozen=True, slots=True)
class Restriction:
    """`tracks` counts for Only.TRACKS alone."""

    only: Only
    tracks: frozenset[str] = frozenset()

    def stored(self) -> dict[str, object]:
        """Its JSON."""
        if self.only is Only.TRACKS:
            return {"only": self.only.value, "tracks": sorted(self.tracks)}
        return {"only": self.only.value}

    def told(self) -> dict[str, str]:
        """What presence says of it: the kind, and for chosen tracks a mark that is another for other tracks."""
        if self.only is Only.TRACKS:
            return {"only": self.only.value, "part": f"{crc32(chr(0).join(sorted(self.tracks)).encode()):08x}"}
        return {"only": self.only.value}


ROOTS: Final[Mapping[Only, frozenset[str]]] = MappingProxyType(
    {
        Only.MIX: frozenset({TALK, "sends", "effects", "lanes", "points"}),
        Only.MARKERS: frozenset({TALK, "markers"}),
        Only.TRACKS: frozenset({TALK}),
    }
)
"""Roots in which everything is allowed."""

FADERS: Final = frozenset({"gain_db", "pan", "mute", "phase_invert"})
TARGET: Final = "master_target_lufs"

NARROWED: Final = frozenset({Action.RENAME, Action.RESTORE, Action.AI_JOB})
"""What reaches further than any restriction."""

Owner = Callable[[str, str], str | None]
"""(root, entry) → the track it belongs to, "" for none; None if the entry is not there."""


def restriction_of(value: object) -> Restriction | None:
    """A stored restriction. Raises Invalid."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("only") not in tuple(Only):
        raise Invalid("restriction", 'must be null or have "only": mix, markers or tracks')
    only = Only(value["only"])
    return Restriction(only, _tracks(value.get("tracks"))) if only is Only.TRACKS else Restriction(only)


def stored_restriction(value: object) -> Restriction | None:
    """A restriction as the database holds it; one that nobody can read comes down to no track at all."""
    try:
        return restriction_of(value)
    except Invalid:
        return Restriction(Only.TRACKS)


def _tracks(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not 0 < len(value) <= TRACKS_MAX:
        raise Invalid("restriction.tracks", f"must be a list of 1 to {TRACKS_MAX} track ids")
    tracks = frozenset(track for track in value if isinstance(track, str) and 0 < len(track) <= TRACK_CHARS_MAX)
    if len(tracks) != len(value):
        raise Invalid("restriction.tracks", "must be track ids, each once")
    return tracks


def allows(restriction: Restriction | None, action: Action) -> bool:
    """Whether a restricted editor keeps what the role may do."""
    if restriction is None or action not in NARROWED | {Action.MARKERS}:
        return True
    return action is Action.MARKERS and restriction.only is Only.MARKERS


def reaches(restriction: Restriction, track: str) -> bool:
    """Whether anything of a track may be changed."""
    return restriction.only is Only.MIX or track in restriction.tracks


def admits(restriction: Restriction, root: str, entry: str, key: str) -> bool:
    """Whether a field may be overwritten whatever else the document holds. False: it depends, or it may not.

    `entry` is "" in flat and leaf roots, whose keys are fields or entries.
    """
    if root in ROOTS[restriction.only]:
        return True
    match restriction.only:
        case Only.MIX:
            return key in FADERS if root == "tracks" else root == "transport" and key == TARGET
        case Only.TRACKS:
            return root not in DYNAMIC and track_named(root, entry or key) in restriction.tracks
    return False


def owned(restriction: Restriction, root: str, entry: str, key: str, owner: Owner) -> bool:
    """Whether a field of something that is there, and stays where it is, belongs to a chosen track."""
    if restriction.only is not Only.TRACKS or root not in DYNAMIC or key == "track":
        return False
    return owner(root, entry or key) in restriction.tracks


def refused(restriction: Restriction, touched: Iterable[Touched], before: Owner, after: Owner) -> str:
    """The root of the first thing that was touched and may not be; "" if all of it may.

    For chosen tracks, an entry has to belong to one of them before and after, as far as it is there.
    """
    for root, entity, keys in touched:
        if root in ROOTS[restriction.only]:
            continue
        entries = (entity,) if root in ENTITIES else keys
        if restriction.only is Only.TRACKS and root in DYNAMIC:
            if not all(_within(restriction, (before(root, entry), after(root, entry))) for entry in entries):
                return root
        elif not all(admits(restriction, root, entity, key) for key in keys):
            return root
    return ""


def _within(restriction: Restriction, owners: tuple[str | None, str | None]) -> bool:
    known = [owner for owner in owners if owner is not None]
    return bool(known) and all(owner in restriction.tracks for owner in known)
