"""Projects with a past: rows, a compacted state and snapshots."""

from typing import Any
from uuid import UUID

from pycrdt import Doc

from persistence.editing import Edited, edit, read
from persistence.snapshots import Snapshots
from studio.canonical import canonical
from studio.edits import add_marker
from tests.collab_server.world import User, World


async def mark(world: World, project: UUID, user: User, marker: str, label: str = "A") -> Edited[dict[str, Any]]:
    """A marker added as the HTTP app does: one row."""

    def change(doc: "Doc[Any]") -> dict[str, Any]:
        return add_marker(doc, marker, str(user.id), 5, tick=960, label=label)

    return await edit(world.pool, project, user.id, "edit", change)


async def compact(world: World, project: UUID) -> int:
    """All rows so far become the state; which row it shows."""
    doc, seq, epoch = await read(world.pool, project)
    await world.journal.compact(project, epoch, seq, doc.get_update())
    return seq


async def snapshot(world: World, project: UUID, name: str = "V1", kind: str = "named") -> UUID:
    """What is committed, kept under a name."""
    doc, seq, epoch = await read(world.pool, project)
    return await Snapshots(world.pool).save(
        project,
        kind=kind,
        reason="named" if kind == "named" else "lineage",
        name=name,
        author=None,
        parent=None,
        epoch=epoch,
        seq=seq,
        state=doc.get_update(),
        canonical=canonical(doc) if kind == "named" else None,
    )
