"""The whole simulated world: database, bus, app, nodes, and the tabs with the network between them."""

import asyncio
import itertools
import random
from collections.abc import Callable
from contextvars import Context
from typing import Any
from uuid import UUID

from collab_server.gate.vector import inspect_vector
from collab_server.settings import CollabSettings, Limits
from persistence.body import Entry, encode
from presence.principal import Principal
from presence.tickets import mint
from studio.blank import blank
from studio.roles import Action, Role, may
from tests.simulation.app import App
from tests.simulation.bus import Broker
from tests.simulation.client import Tab
from tests.simulation.crowd import GENEROUS
from tests.simulation.database import Database
from tests.simulation.ledger import Ledger
from tests.simulation.loop import WALL_AT_START, Loop
from tests.simulation.network import Line
from tests.simulation.node import SECRET, Node
from tests.simulation.tables import Document

REVOKED_SECONDS = 2.0
"""Within so long of hearing from the database again, nobody who was removed may be told anything."""


class Stage:
    """client.Surroundings for every tab. `nodes` are those that were not stopped or killed."""

    def __init__(self, loop: Loop, seed: str, ledger: Ledger) -> None:
        self.loop = loop
        self.seed = seed
        self.ledger = ledger
        self.rng = random.Random(seed)
        self.settings = _settings(self.rng)
        self.database = Database(loop, seed, ledger.complain)
        self.broker = Broker(loop)
        self.app = App(loop, seed, self.database, self.broker, ledger)
        self.nodes: list[Node] = []
        self.tabs: list[Tab] = []
        self.revoked: dict[tuple[UUID, UUID], float] = {}
        self.calm_at = 0.0
        """When the last trouble with the database or a machine that stands still is over."""
        self.spoiled: set[UUID] = set()
        """Projects that were set aside or deleted: their people have to be told, no more."""
        self._names = itertools.count(1)
        self._lines = itertools.count(1)
        self._clients = itertools.count(100)

    # ------------------------------------------------------------------ building

    async def node(self) -> Node:
        """Another node comes up."""
        name = f"node{next(self._names)}"
        node = Node(
            self.loop,
            name,
            self.seed,
            self.database,
            self.broker,
            self.settings,
            self.ledger.complain,
        )
        self.nodes.append(node)
        await node.start()
        self.ledger.note(name, "is up")
        return node

    def project(self, number: int, people: dict[UUID, Role]) -> UUID:
        """A project with its seed."""
        project = UUID(int=number)
        document = Document(project, members={user: role.value for user, role in people.items()})
        owner = next(iter(people))
        document.grow(encode([Entry(owner, blank(str(project), "Song", str(owner), 0, 1))]))
        self.database.tables.documents[project] = document
        return project

    def tab(self, project: UUID, user: UUID) -> Tab:
        """Another window."""
        tab = Tab(self, f"tab{len(self.tabs) + 1}", project, user, self.seed)
        self.tabs.append(tab)
        return tab

    # ------------------------------------------------------------------ client.Surroundings

    def now(self) -> float:
        return self.loop.time()

    def later(self, seconds: float, callback: Callable[[], object]) -> None:
        self.loop.call_at(self.loop.time() + seconds, callback, context=Context())

    def role(self, project: UUID, user: UUID) -> Role | None:
        document = self.database.tables.documents[project]
        role = document.members.get(user)
        return None if role is None or document.deleted else Role(role)

    def dial(self, tab: Tab) -> None:
        nodes = [node for node in self.nodes if node.up]
        if not nodes:
            self.later(0.05, tab.refused)
            return
        node = tab.rng.choice(nodes)
        line = Line(self.loop, node.host, tab, f"{self.seed}/line{next(self._lines)}")
        principal = Principal(tab.user, f"P{tab.user.int}", "#aa3355", tab.role, tab.project, True)
        token = mint(principal, SECRET, WALL_AT_START + self.loop.time())
        at = self.loop.time() + tab.rng.uniform(0.001, 0.01)
        epoch = self.database.tables.documents[tab.project].epoch
        self.loop.call_at(at, self._arrive, tab, node, line, (token, tab.project, epoch), context=Context())

    def _arrive(self, tab: Tab, node: Node, line: Line, asked: tuple[str, UUID, int]) -> None:
        if not node.up:
            tab.refused()
            return
        node.host.soon(node.accept, *asked, line)
        self.later(0.002, lambda: tab.opened(line))

    def saved(self, tab: Tab, update: bytes) -> None:
        how = "in its answer" if update in tab.sent.answers else "as it was edited"
        self.ledger.acknowledge(self.database.tables.documents[tab.project], update, tab.name, how)

    def received(self, tab: Tab) -> None:
        at = self.revoked.get((tab.project, tab.user))
        line = tab.line
        if at is None or line is None:
            return
        node = next(node for node in self.nodes if node.host is line.node)
        since = node.database.listening_since
        if since is not None and line.told_at - max(at, since, self.calm_at) > REVOKED_SECONDS:
            self.ledger.complain(f"{tab.name} was removed {self.now() - at:.1f} s ago and hears of edits")

    def told(self, tab: Tab, code: int, reason: str) -> None:
        self.ledger.note(tab.name, f"is told {code} {reason}")
        gone = self.role(tab.project, tab.user) is None
        if not gone and tab.project not in self.spoiled:
            self.ledger.complain(f"{tab.name} was refused for nothing: {code} {reason}")

    def void(self, tab: Tab, reason: str) -> None:
        document = self.database.tables.documents[tab.project]
        known = inspect_vector(tab.author.doc.get_state(), GENEROUS)
        ahead = any(clock > document.known.get(client, 0) for client, clock in known.items())
        role = self.role(tab.project, tab.user)
        if not ahead or (role is not None and may(role, Action.WRITE)):
            self.ledger.complain(f"{tab.name} had to begin anew for nothing: {reason}")

    def trace(self, who: str, what: str) -> None:
        self.ledger.note(who, what)

    def fresh_client(self) -> int:
        return next(self._clients)

    # ------------------------------------------------------------------ for the checks

    def documents(self) -> list[Document]:
        return list(self.database.tables.documents.values())

    def start(self, work: Any) -> "asyncio.Task[Any]":
        """A task of the world's own."""
        return self.loop.create_task(work, context=Context())


def _settings(rng: random.Random) -> CollabSettings:
    """Small figures, so that everything that is done now and then is done here."""
    limits = Limits(
        outbox_bytes_max=rng.choice((300, 2_000, 1 << 20)),
        unsaved_bytes_max=rng.choice((3_000, 1 << 20)),
        merge_snapshot_edits_min=20,
        merge_snapshot_seconds_min=5.0,
        waiting_frames_max=rng.choice((4, 64)),
    )
    return CollabSettings(
        limits=limits,
        journal_gather_seconds=rng.choice((0.002, 0.008, 0.05)),
        presence_expiry_seconds=30.0,
        keepalive_seconds=15.0,
        ping_seconds=5.0,
        snapshot_interval_seconds=10.0,
        # No draw of its own, which would make every seed another run.
        awake_bytes_max=0 if limits.waiting_frames_max == 4 else 24 << 20,
        compact_after_rows=rng.choice((3, 10, 40)),
        compact_after_bytes=rng.choice((2_000, 1 << 20)),
        compact_at_unload_rows=rng.choice((0, 5, 20)),
        drain_seconds_max=3.0,
    )
