"""A project at its limits: as many tracks and clips as a document may hold."""

from typing import Final
from uuid import UUID

import asyncpg
from pycrdt import Map

from persistence.journal import Journal
from studio.binding import new_entity
from studio.blank import blank, open_doc
from studio.schema import ENTRY_LIMITS, PPQ

SEED_CLIENT: Final = 1
TRACKS: Final = ENTRY_LIMITS["tracks"]
CLIPS: Final = ENTRY_LIMITS["clips"] // TRACKS
BAR: Final = 4 * PPQ
FORGET: Final = "delete from documents where project_id = $1"


def big_song(project: str, tracks: int = TRACKS, clips: int = CLIPS) -> bytes:
    """The state of a song with `clips` one-bar clips on each of `tracks` tracks, one behind the other."""
    doc = open_doc(SEED_CLIENT)
    doc.apply_update(blank(project, "Big", "u", 0, SEED_CLIENT))
    with doc.transaction():
        rows, parts = doc.get("tracks", type=Map), doc.get("clips", type=Map)
        for row in range(tracks):
            track = f"t_{row:012}"
            rows[track] = new_entity({"kind": "audio", "name": f"Track {row + 1}", "order": f"b{row:02}"}.items())
            for number in range(clips):
                clip = f"c_{row:06}{number:06}"
                fields: dict[str, object] = {
                    "track": track,
                    "asset": "",
                    "base": "beats",
                    "pos": number * BAR,
                    "in": 0,
                    "out": BAR,
                }
                fields |= {"name": f"Part {number + 1}", "take": clip, "deleted": None}
                parts[clip] = new_entity(fields.items())
    return doc.get_update()


async def make_big(database: str, project: str, tracks: int = TRACKS, clips: int = CLIPS) -> None:
    """Put a big song in the place of a project's document that nobody has open."""
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        await connection.execute(FORGET, UUID(project))
        await Journal.create(connection, UUID(project), big_song(project, tracks, clips), None)
    await connection.close()
