"""The HTTP app of the simulation: edits on the server's side, roles, deletions; committed, then told or not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.setbacks import SETBACKS
from persistence.editing import edit
from persistence.pool import Pool
from presence.events import AccessRevoked, Event, Grew, ProjectDeleted, RoleChanged
from studio.edits.markers import add_marker
from studio.edits.project import rename
from studio.roles import Role
from tests.simulation.bus import Broker
from tests.simulation.database import Database
from tests.simulation.ledger import Ledger
from tests.simulation.loop import Host, Loop

NOW_MS = 1_800_000_000_000


class App:
    """One api process. `silent`: it dies between the commit and the doorbell."""

    def __init__(self, loop: Loop, seed: str, database: Database, broker: Broker, ledger: Ledger) -> None:
        self.host = Host(loop, "api", seed)
        self._loop = loop
        self._database = database
        self._client = database.client(self.host)
        self._bus = broker.join(self.host)
        self._ledger = ledger
        self._count = 0

    @property
    def pool(self) -> Pool:
        """The app's connections to the database."""
        return self._client.pool

    def edit(self, project: UUID, user: UUID, silent: bool) -> None:
        """Add a marker or rename the project."""
        self._count += 1
        number = self._count

        def change(doc: "Doc[Any]") -> None:
            if number % 2:
                add_marker(doc, f"m_{number:012d}", str(user), NOW_MS, tick=number, label="by the app")
            else:
                rename(doc, f"Song {number}")

        self.host.start(self._edit(project, user, change, silent))

    async def _edit(self, project: UUID, user: UUID, change: "Callable[[Doc[Any]], None]", silent: bool) -> None:
        try:
            edited = await edit(self._client.pool, project, user, "edit", change)
        except SETBACKS as error:
            self._ledger.note("api", f"edit failed: {type(error).__name__}")
            return
        self._ledger.note("api", f"row {edited.seq} of {project.int}{' (untold)' if silent else ''}")
        if edited.body and not silent:
            self._bus.publish(Grew(project, edited.epoch, edited.seq, edited.body))

    def member(self, project: UUID, user: UUID, role: Role | None, silent: bool) -> None:
        """Another role; None: removed."""
        document = self._database.tables.documents[project]
        event: Event
        if role is None:
            document.members.pop(user, None)
            event = AccessRevoked(project, user)
        else:
            document.members[user] = role.value
            event = RoleChanged(project, user, role)
        self._database.notify(project)
        self._ledger.note("api", f"user {user.int} is {role or 'removed'}{' (untold)' if silent else ''}")
        if not silent:
            self.host.soon(self._bus.publish, event)

    def delete(self, project: UUID) -> None:
        """The project is deleted."""
        self._database.tables.documents[project].deleted = True
        self.host.soon(self._bus.publish, ProjectDeleted(project))

    async def appended(self, project: UUID, body: bytes) -> None:
        """Another process writes a row that is no body."""
        document = self._database.tables.documents[project]
        async with self._database.lock(project):
            document.grow(body)
        self.host.soon(self._bus.publish, Grew(project, document.epoch, document.head, body))
