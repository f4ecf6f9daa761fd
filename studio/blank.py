"""The first update of every project, and the shape every Doc of ours has."""

from collections.abc import Mapping
from typing import Any

from pycrdt import Doc, Map

from studio.binding import new_entity, wire
from studio.schema import FLAT, LOST, MASTER, ROOTS, SCHEMA


def open_doc(client_id: int | None = None) -> "Doc[Any]":
    """A Doc in which every root stands as a Map, before any update is applied."""
    doc: Doc[Any] = Doc(client_id=client_id)
    for root in ROOTS:
        doc[root] = Map()
    return doc


def fixed_track(track: str) -> Mapping[str, object]:
    """The fields of `master` or `lost` as the server writes them."""
    names = {MASTER: ("master", "Master", "zzzz"), LOST: ("audio", "Lost & found", "zzzzz")}
    kind, name, order = names[track]
    return {"kind": kind, "name": name, "order": order, "gain_db": 0, "pan": 0, "mute": False, "deleted": None}


def blank(project_id: str, name: str, created_by: str, now_ms: int, client_id: int) -> bytes:
    """The seed update of an empty project (document design §1.10): one transaction by a reserved client id.

    The same arguments give the same bytes.
    """
    doc = open_doc(client_id)
    meta = {
        "schema": SCHEMA,
        "project_id": project_id,
        "name": name,
        "created_at": now_ms,
        "created_by": created_by,
        "parent": None,
    }
    with doc.transaction():
        for key, value in meta.items():
            doc["meta"][key] = wire(value)
        for key, spec in FLAT["transport"].items():
            doc["transport"][key] = wire(spec.initial(""))
        for track in (MASTER, LOST):
            doc["tracks"][track] = new_entity(fixed_track(track).items())
    return doc.get_update()
