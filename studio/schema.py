"""The document's schema, version 1, as data: roots, fields, ranges, defaults, limits (document design §1).

Three kinds of root: *flat* (the root's keys are fields), *leaf* (id → one value, written whole) and *entity*
(id → Map whose keys are fields). A missing field reads as its default; unknown keys are kept within
bounds (`studio.unknown`) and never judged.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from studio import leaves
from studio.fields import Anything, Body, Choice, Flag, Leaf, Number, Pattern, Record, Row, Spec, String

SCHEMA: Final = 1
PPQ: Final = 960
MASTER: Final = "master"
LOST: Final = "lost"
FIXED_TRACKS: Final = frozenset({MASTER, LOST})
TICK_MAX: Final = 2**31
CONTENT_MAX: Final = 2**40
SPAN_MIN: Final = 240
"""A sixteenth note: the length a clip or section gets back when its edges have crossed (R9); bounds leave room."""
SPAN_MIN_US: Final = 250_000
"""The same for clips whose content is source time."""
PALETTE: Final = ("#e2574c", "#e8894a", "#d9b13b", "#7fb54a", "#43a88a", "#4a8fd9", "#7a6fd6", "#c465b5")
MARKER_COLOR: Final = "#d9b13b"


def palette_color(entity: str) -> str:
    """The colour of an entity that has none: FNV-1a (32 bit) of the id's UTF-8 bytes picks from the palette."""
    digest = 2166136261
    for byte in entity.encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return PALETTE[digest % len(PALETTE)]


def stray_order(entity: str) -> str:
    """The order key of an entity whose own is unusable (R6): behind everything, stable."""
    return "zz" + re.sub(r"[^0-9A-Za-z]", "", entity)[:12]


def _itself(entity: str) -> str:
    return entity[:64]


ORDER: Final = Pattern(r"[0-9A-Za-z]{1,256}", made=stray_order, broken="R6")
COLOR: Final = r"#[0-9a-f]{6}"
STAMP: Final = Leaf(leaves.stamp, None, "R2")
USER: Final = String(64, None, nullable=True)
TIME: Final = Number(0, 2**53, 0, integer=True)
TICK: Final = Number(0, TICK_MAX, 0, integer=True)
REFERENCE: Final = String(160, None, nullable=True)
UNIT: Final = Number(0, 1, 0)
PARAMETER: Final = Number(-1e9, 1e9, 0)

FLAT: Final[Mapping[str, Mapping[str, Spec]]] = MappingProxyType(
    {
        "meta": {},
        "transport": {
            "bpm": Number(20, 400, 120),
            "signature": Leaf(leaves.signature, (4, 4)),
            "loop": Leaf(leaves.loop, (0, 0, 3840)),
            "count_in": Number(0, 4, 0, integer=True),
            "key": Leaf(leaves.key, None, "R2"),
            "swing": Number(0, 0.75, 0),
            "tuning_hz": Number(400, 480, 440),
            "master_target_lufs": Number(-30, -6, -14),
        },
    }
)

LEAVES: Final[Mapping[str, Spec]] = MappingProxyType(
    {
        "tempo": Row((TICK, Number(20, 400, 120), Number(0, 1, 0, integer=True)), ("tick", "bpm", "curve")),
        "signatures": Row(
            (TICK, Number(1, 32, 4, integer=True), Choice(leaves.DENOMINATORS, 4)),
            ("tick", "numerator", "denominator"),
        ),
        "lanes": Record({"on": Flag(True), "min": PARAMETER, "max": PARAMETER, "def": PARAMETER}),
        "points": Row((TICK, UNIT, Number(0, 4, 0, integer=True)), ("tick", "value", "curve")),
        "events": Row(
            (TICK, Number(1, TICK_MAX, 240, integer=True), Number(0, 127, 60, integer=True), UNIT),
            ("tick", "dur", "pitch", "vel"),
        ),
        "assets": Anything(),
        "arrangement": Record({"order": ORDER, "name": String(80), "bars": Number(0, 10_000, 0, integer=True)}),
        "slots": Record({"clip": REFERENCE, "color": Pattern(COLOR, None, nullable=True)}),
    }
)

ENTITIES: Final[Mapping[str, Mapping[str, Spec]]] = MappingProxyType(
    {
        "tracks": {
            "kind": Choice(("audio", "midi", "bus", "master"), "audio"),
            "role": Choice(("vocals", "drums", "bass", "other", "full", "fx", "none"), "none"),
            "name": String(80, "Track"),
            "color": Pattern(COLOR, made=palette_color),
            "order": ORDER,
            "parent": REFERENCE,
            "gain_db": Number(-96, 6, 0),
            "pan": Number(-1, 1, 0),
            "mute": Flag(False),
            "phase_invert": Flag(False),
            "output": String(160, MASTER),
            "lock": STAMP,
            "deleted": STAMP,
        },
        "clips": {
            "track": String(160, LOST),
            "asset": String(160, ""),
            "base": Choice(("beats", "time"), "beats"),
            "pos": Number(-TICK_MAX, TICK_MAX, 0, integer=True),
            "in": Number(-TICK_MAX, CONTENT_MAX, 0, integer=True),
            "out": Number(-TICK_MAX, CONTENT_MAX + SPAN_MIN_US, PPQ, integer=True),
            "src0_us": Number(0, CONTENT_MAX, 0, integer=True),
            "gain_db": Number(-60, 12, 0),
            "fade_in": Number(0, CONTENT_MAX, 0, integer=True),
            "fade_out": Number(0, CONTENT_MAX, 0, integer=True),
            "fade_curve": Leaf(leaves.fade_curve, (1, 1), "R2"),
            "stretch": Choice(("off", "repitch", "stretch"), "off"),
            "source_bpm": Number(20, 400, None, nullable=True),
            "semitones": Number(-24, 24, 0, integer=True),
            "cents": Number(-100, 100, 0),
            "reverse": Flag(False),
            "loop": Leaf(leaves.clip_loop, None),
            "warp": Leaf(leaves.warp, None, "R2"),
            "name": String(80, ""),
            "color": Pattern(COLOR, None, nullable=True),
            "mute": Flag(False),
            "take": String(64, made=_itself),
            "deleted": STAMP,
        },
        "effects": {
            "track": REFERENCE,
            "order": ORDER,
            "kind": String(64, ""),
            "on": Flag(True),
            "deleted": STAMP,
        },
        "sends": {
            "gain_db": Number(-96, 6, 0),
            "pan": Number(-1, 1, 0),
            "pre": Flag(False),
            "on": Flag(True),
        },
        "markers": {
            "tick": TICK,
            "end": Number(1, TICK_MAX + SPAN_MIN, None, integer=True, nullable=True),
            "label": String(80, ""),
            "color": Pattern(COLOR, MARKER_COLOR),
            "kind": Choice(("cue", "section", "loop", "drop"), "cue"),
            "by": USER,
            "at": TIME,
            "deleted": STAMP,
        },
        "notes": {
            "anchor": Leaf(leaves.anchor, ("t", 0), "R2"),
            "track": REFERENCE,
            "body": Body(4000),
            "author": USER,
            "at": TIME,
            "parent": REFERENCE,
            "resolved": STAMP,
            "deleted": STAMP,
        },
    }
)

ROOTS: Final = (
    "meta",
    "transport",
    "tempo",
    "signatures",
    "tracks",
    "clips",
    "lanes",
    "points",
    "effects",
    "sends",
    "events",
    "markers",
    "notes",
    "assets",
    "arrangement",
    "slots",
)
ROOT_NAMES: Final = frozenset(ROOTS)
SERVER_ROOTS: Final = frozenset({"meta", "assets"})
"""Only the server writes these; a client's update that names one is refused before it is applied."""

IMMUTABLE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"tracks": frozenset({"kind"}), "clips": frozenset({"asset", "base", "take"})}
)
"""Set at creation, never changed afterwards (R5)."""

STAMPED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({"notes": ("author", "at"), "markers": ("by", "at")})
"""Who and when, stamped by the server at creation (R17)."""

SERVER_FIELDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"tracks": frozenset({"lock"})})
"""Written by the server alone; a client's value is undone (R17)."""

SOFT_DELETED: Final = frozenset({"tracks", "clips", "effects", "markers", "notes"})

ENTRY_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {"tracks": 64, "clips": 5_000, "points": 50_000, "markers": 2_000, "notes": 5_000}
)
"""Living entries per root (R18); the fixed tracks are not counted."""

DOCUMENT_BYTES_MAX: Final = 16 * 2**20
UPDATE_BYTES_MAX: Final = 2**20
CLIENT_UPDATE_BYTES_MAX: Final = 64 * 2**10


FIELDS: Final[Mapping[str, Mapping[str, Spec]]] = MappingProxyType({**FLAT, **ENTITIES})
"""The named fields of every flat and entity root."""


def field(root: str, key: str) -> Spec | None:
    """The spec of a field of an entity or flat root; None for an unknown key."""
    fields = FIELDS.get(root)
    spec = fields.get(key) if fields is not None else None
    if spec is None and root == "effects" and key.startswith("p."):
        return PARAMETER
    return spec


PLAIN: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "transport": frozenset(("bpm", "count_in", "swing", "tuning_hz", "master_target_lufs")),
        "tracks": frozenset(("role", "name", "color", "gain_db", "pan", "mute", "phase_invert")),
        "clips": frozenset(
            (
                "gain_db",
                "fade_in",
                "fade_out",
                "stretch",
                "source_bpm",
                "semitones",
                "cents",
                "reverse",
                "name",
                "color",
            )
        )
        | {"mute"},
        "sends": frozenset(("gain_db", "pan", "pre")),
        "markers": frozenset(("label", "color", "kind")),
    }
)
"""Fields that no rule reads beside their own value: an allowed value needs no look at the rest of the document."""


def plain_field(root: str, key: str) -> Spec | None:
    """The spec of a field whose value can be judged alone; None for any other."""
    if key in PLAIN.get(root, ()) or (root == "effects" and key.startswith("p.")):
        return field(root, key)
    return None
