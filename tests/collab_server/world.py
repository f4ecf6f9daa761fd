"""Users and projects made straight in the database, and tickets as the HTTP app mints them."""

import time
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx

from launch.app import App
from persistence.body import Entry, encode
from persistence.editing import read
from persistence.journal import Batch, Change, Journal
from persistence.pool import Pool
from presence.principal import Principal
from presence.tickets import mint
from studio.blank import blank
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.peer import Peer

INSERT_USER = "insert into users default values returning id"
INSERT_PROJECT = "insert into projects (id, owner_id, name) values ($1, $2, 'Song')"
INSERT_MEMBER = "insert into project_members (project_id, user_id, role) values ($1, $2, $3)"


class User(NamedTuple):
    """Somebody with an account."""

    id: UUID
    name: str


class World:
    """What the HTTP app would have done before anybody opens a project."""

    def __init__(self, pool: Pool, secret: str) -> None:
        self.pool = pool
        self.journal = Journal(pool)
        self._secret = secret
        self._clients = count(1_000)

    async def user(self, name: str = "Ada") -> User:
        """A new user."""
        return User(await self.pool.fetchval(INSERT_USER), name)

    async def project(self, owner: User, *updates: bytes) -> UUID:
        """A new project whose journal holds the seed and, as one row of the owner's, these updates."""
        project = uuid4()
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(INSERT_PROJECT, project, owner.id)
            await connection.execute(INSERT_MEMBER, project, owner.id, "owner")
            await Journal.create(connection, project, blank(str(project), "Song", str(owner.id), 0, 1), owner.id)
        if updates:
            body = encode([Entry(owner.id, update) for update in updates])
            change = Change(owner.id, "edit", len(updates), ())
            await self.journal.append([Batch(project, 1, body, len(updates), (change,))])
        return project

    async def member(self, project: UUID, role: Role = Role.EDITOR, name: str = "Bob") -> User:
        """A new user who is a member of the project."""
        user = await self.user(name)
        await self.pool.execute(INSERT_MEMBER, project, user.id, role.value)
        return user

    def ticket(self, project: UUID, user: User, role: Role = Role.EDITOR, *, now: float | None = None) -> str:
        """What POST /api/projects/{id}/ticket gives."""
        principal = Principal(user.id, user.name, "#aa3355", role, project, True)
        return mint(principal, self._secret, time.time() if now is None else now)

    def url(self, app: App, project: UUID, user: User, role: Role = Role.EDITOR) -> str:
        """Where this user opens the project."""
        return f"{app.ws}/y/{project}?token={self.ticket(project, user, role)}"

    def peer(self, app: App, project: UUID, user: User, role: Role = Role.EDITOR, client: int = 0) -> Peer:
        """A client of this user, not yet connected, under a client id of its own."""
        return Peer(client or next(self._clients), self.url(app, project, user, role))

    async def stored(self, project: UUID) -> dict[str, object]:
        """The committed document."""
        doc, _, _ = await read(self.pool, project)
        return canonical(doc)

    async def rows(self, project: UUID) -> int:
        """How many rows the journal has had."""
        head: int = await self.pool.fetchval("select head from documents where project_id = $1", project)
        return head


async def metric(app: App, name: str) -> float:
    """The value of one Prometheus sample without labels."""
    async with httpx.AsyncClient(verify=False) as client:  # plain HTTP: reading certificates takes longer than asking
        text = (await client.get(f"{app.http}/metrics")).text
    values = [line.split()[-1] for line in text.splitlines() if line.split(" ")[0] == name]
    assert len(values) == 1, f"{name} in {text}"
    return float(values[0])


async def leave_all(peers: Sequence[Peer]) -> None:
    """Everybody goes home."""
    for peer in peers:
        await peer.leave()
