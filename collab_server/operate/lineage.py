"""`quarantine` and `epoch`: setting a document aside, and declaring its earlier copies void."""

from uuid import UUID

from collab_server.operate import say
from collab_server.operate.errors import OperatorError
from collab_server.operate.store import Store
from persistence.archive import Kept
from persistence.upkeep import new_epoch, release, set_aside
from presence.events import Grew, SetAside

REASON = "by an operator"


async def quarantine(store: Store, project_id: UUID, reason: str | None, *, yes: bool) -> int:
    """Nothing can be saved in this project and nobody can open it, until it is released."""
    found = await store.kept(project_id)
    if found.quarantined_at is not None:
        raise OperatorError(f"project {project_id} is quarantined already: {say.plain(found.quarantine_reason)}")
    say.confirm(
        f"this sets project {project_id} ({say.plain(found.name)!r}) aside: nobody can open it, and who has it open is "
        "closed with 4500",
        yes=yes,
    )
    await set_aside(store.pool, project_id, reason or REASON)
    if not await store.tell([SetAside(project_id)]):
        say.note("nobody could be told over the bus: open rooms are closed when their nodes ask the database")
    say.line(f"project {project_id} is quarantined at row {found.head}")
    return 0


async def lift(store: Store, project_id: UUID, *, yes: bool) -> int:
    """The project can be opened again."""
    found = await store.kept(project_id)
    if found.quarantined_at is None:
        raise OperatorError(f"project {project_id} is not quarantined")
    say.confirm(
        f"this opens project {project_id} again; it was set aside {say.moment(found.quarantined_at)}: "
        f"{say.plain(found.quarantine_reason)}{_warning(found)}",
        yes=yes,
    )
    await release(store.pool, project_id)
    say.line(f"project {project_id} is released")
    return 0


def _warning(found: Kept) -> str:
    problem = found.state_problem() or found.rows_problem()
    return f"; it is still damaged: {problem}" if problem else ""


async def next_epoch(store: Store, project_id: UUID | None, *, yes: bool) -> int:
    """A new lineage, for one project or (None) for all: clients that hold older copies start afresh (4409)."""
    if project_id is not None:
        await store.kept(project_id)  # NotFound
    whom = f"project {project_id}" if project_id is not None else "every project"
    say.confirm(
        f"this gives {whom} a new epoch: open rooms are closed (4409), and what clients have not sent yet is kept "
        "aside instead of merged",
        yes=yes,
    )
    made = await new_epoch(store.pool, project_id)
    ringing = [Grew(one.project_id, one.epoch, one.head, b"") for one in made if one.open or project_id is not None]
    if not await store.tell(ringing):
        say.note("nobody could be told over the bus: open rooms are closed at their next commit")
    if project_id is None:
        say.line(f"{len(made)} projects have a new epoch")
    for one in made if project_id is not None else ():
        say.line(f"project {one.project_id} has epoch {one.epoch}")
    return 0
