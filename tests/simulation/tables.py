"""What the simulated database holds, and what each of the product's statements does to it.

The statements are known by their text, imported from the product, so the product's own code above them is what runs:
Journal, Sessions, Snapshots, Keeper, editing. A statement that is new is refused loudly.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from collab_server.gate.limits import TRUSTED
from collab_server.gate.update import inspect
from collab_server.keeper import MEMBERSHIPS
from persistence import drafts, journal_sql, projections, sessions, snapshots
from persistence.body import decode
from tests.simulation.transaction import Transaction

SESSIONS: Final = "sessions"
"""The lock of everything that keeps the book of who was here."""


class Record(dict[str, Any]):
    """A row; by name, or by number like asyncpg's."""

    def __getitem__(self, key: Any) -> Any:
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


Rows = list[Record]


@dataclass
class Document:
    """A project with its document. `history` is every body ever appended, also of rows that were compacted."""

    project_id: UUID
    epoch: int = 1
    head: int = 0
    deleted: bool = False
    quarantined: str | None = None
    state: tuple[int, int, bytes, bytes] | None = None
    """epoch, seq, state, sha256"""
    updates: dict[int, bytes] = field(default_factory=dict)
    history: list[bytes] = field(default_factory=list)
    clients: dict[int, UUID] = field(default_factory=dict)
    free: set[int] = field(default_factory=set)
    """Repairers' client ids that nobody uses."""
    members: dict[UUID, str] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)
    """Client id → first clock that is not committed."""

    def grow(self, body: bytes) -> None:
        """One more row."""
        self.head += 1
        self.updates[self.head] = body
        self.history.append(body)
        try:
            entries = decode(body)
        except ValueError:
            return  # planted
        for entry in entries:
            for client, _, end in inspect(entry.update, TRUSTED).ranges:
                self.known[client] = max(end, self.known.get(client, 0))


@dataclass
class Session:
    """From the first join to the last leave."""

    id: UUID
    project_id: UUID
    ended: bool = False


@dataclass
class Participant:
    """One connection in a session."""

    session: Session
    user_id: UUID
    seen_at: float
    left: bool = False
    node_id: UUID | None = None
    lost: bool = False
    edits: int = 0


class Statement(NamedTuple):
    """How a statement is run, and which locks it takes for its arguments (projects in their order, or SESSIONS)."""

    run: Callable[..., Rows]
    locks: Callable[..., Sequence[UUID | str]]


class Tables:
    """All tables. Every method named by `statements` answers its rows; `now` is the database's clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.documents: dict[UUID, Document] = {}
        self.sessions: list[Session] = []
        self.participants: dict[UUID, Participant] = {}
        self.snapshots = 0
        self.projected: dict[UUID, tuple[int, int]] = {}
        self.compactions = 0
        self._now = now
        self._ids = itertools.count(1)
        self.statements: dict[str, Statement] = {
            journal_sql.APPEND: Statement(self._append, lambda projects, *_: sorted(projects)),
            journal_sql.LOAD: Statement(self._load, _free),
            journal_sql.TAIL: Statement(self._tail, _free),
            journal_sql.MOVED: Statement(self._moved, _free),
            journal_sql.CLIENTS: Statement(self._clients, _free),
            journal_sql.LEASE: Statement(self._lease, _free),
            journal_sql.FREE: Statement(self._set_free, _free),
            journal_sql.COMPACT: Statement(self._compact, _free),
            journal_sql.QUARANTINE: Statement(self._quarantine, lambda project, _: (project,)),
            journal_sql.LOCK: Statement(self._lock, lambda project: (project,)),
            sessions.JOIN: Statement(self._join, _book),
            sessions.ADMIT: Statement(self._admit, _book),
            sessions.LEAVE_MANY: Statement(self._leave_many, _book),
            sessions.SEEN: Statement(self._seen, _book),
            sessions.LOST: Statement(self._lost, _free),
            sessions.SWEEP: Statement(self._sweep, _book),
            sessions.EMPTY: Statement(self._empty, _book),
            sessions.LOCK_SESSIONS: Statement(lambda tx, ids: [], _book),
            sessions.CLOSE: Statement(self._close, _book),
            snapshots.INSERT: Statement(self._snapshot, _free),
            drafts.KEEP: Statement(self._snapshot, _free),
            drafts.KEEP_LINEAGE: Statement(self._snapshot, _free),
            snapshots.PRUNE: Statement(lambda tx, *_: [Record(count=0)], _free),
            projections.CLAIM: Statement(self._claim, _free),
            projections.PUT_MARKERS: Statement(lambda tx, *_: [], _free),
            projections.PUT_NOTES: Statement(lambda tx, *_: [], _free),
            MEMBERSHIPS: Statement(self._memberships, _free),
        }

    # ------------------------------------------------------------------ the journal

    def _append(
        self,
        tx: Transaction,
        projects: list[UUID],
        epochs: list[int],
        bodies: list[bytes],
        edits: list[int],
        *more: list[Any],
    ) -> Rows:
        claims = list(zip(*more[5:8], strict=True))
        rows = []
        for project, epoch, body in zip(projects, epochs, bodies, strict=True):
            document = self.documents.get(project)
            refusal = self._refusal(document, epoch, [claim[1:] for claim in claims if claim[0] == project])
            head = None
            if refusal is None and document is not None:
                head = document.head + 1
                tx.effects.append(lambda document=document, body=body: document.grow(body))  # type: ignore[misc]
            rows.append(Record(project_id=project, head=head, refused=refusal))
        return rows

    def _refusal(self, document: Document | None, epoch: int, claims: list[tuple[int, UUID]]) -> str | None:
        if document is None or document.deleted:
            return "missing"
        if document.quarantined is not None:
            return "quarantined"
        if document.epoch != epoch:
            return "epoch"
        taken = [client for client, user in claims if document.clients.setdefault(client, user) != user]
        return "client_taken" if taken else None

    def _load(self, tx: Transaction, project: UUID) -> Rows:
        document = self.documents.get(project)
        if document is None or document.deleted:
            return []
        epoch, seq, state, sha256 = document.state or (None, None, None, None)
        return [
            Record(
                epoch=document.epoch,
                head=document.head,
                quarantined_at=None if document.quarantined is None else self._now(),
                quarantine_reason=document.quarantined,
                state_epoch=epoch,
                state_seq=seq,
                state=state,
                sha256=sha256,
                seqs=sorted(document.updates),
                bodies=[document.updates[seq] for seq in sorted(document.updates)],
                client_ids=list(document.clients),
                client_users=list(document.clients.values()),
                projected=0,
            )
        ]

    def _tail(self, tx: Transaction, project: UUID, after: int) -> Rows:
        document = self.documents.get(project)
        if document is None or document.deleted:
            return []
        seqs = sorted(seq for seq in document.updates if seq > after)
        return [Record(head=document.head, seqs=seqs, bodies=[document.updates[seq] for seq in seqs])]

    def _moved(self, tx: Transaction, projects: str, epochs: str, heads: str) -> Rows:
        rows = []
        for id, epoch, head in zip(*(column[1:-1].split(",") for column in (projects, epochs, heads)), strict=True):
            project = UUID(id)
            document = self.documents.get(project)
            if document is None or document.deleted:
                rows.append(Record(project_id=project, epoch=None, head=None, set_aside=False))
            elif document.quarantined is not None or document.epoch != int(epoch) or document.head > int(head):
                aside = document.quarantined is not None
                rows.append(Record(project_id=project, epoch=document.epoch, head=document.head, set_aside=aside))
        return rows

    def _clients(self, tx: Transaction, project: UUID) -> Rows:
        owners = self.documents[project].clients
        return [Record(client_id=client, user_id=user) for client, user in owners.items()]

    def _lease(self, tx: Transaction, project: UUID) -> Rows:
        free = self.documents[project].free
        if not free:
            return []
        client = min(free)
        free.discard(client)
        return [Record(client_id=client)]

    def _set_free(self, tx: Transaction, project: UUID, client: int) -> Rows:
        document = self.documents[project]
        if client in document.clients:
            document.free.add(client)
        return []

    def _compact(self, tx: Transaction, project: UUID, epoch: int, seq: int, state: bytes, sha256: bytes) -> Rows:
        document = self.documents.get(project)
        if document is None or document.epoch != epoch or document.head < seq or document.quarantined is not None:
            return []
        if document.state is None or document.state[:2] < (epoch, seq):
            document.state = (epoch, seq, state, sha256)
            document.updates = {number: body for number, body in document.updates.items() if number > seq}
            self.compactions += 1
        return []

    def _quarantine(self, tx: Transaction, project: UUID, reason: str) -> Rows:
        document = self.documents.get(project)
        if document is not None and document.quarantined is None:
            document.quarantined = reason
        return []

    def _lock(self, tx: Transaction, project: UUID) -> Rows:
        document = self.documents.get(project)
        return [Record(project_id=project)] if document is not None and not document.deleted else []

    # ------------------------------------------------------------------ who was here

    def _open_session(self, project: UUID) -> Session:
        for session in self.sessions:
            if session.project_id == project and not session.ended:
                return session
        session = Session(UUID(int=next(self._ids)), project)
        self.sessions.append(session)
        return session

    def _join(self, tx: Transaction, project: UUID, connection: UUID, user: UUID, role: str, node: UUID) -> Rows:
        session = self._open_session(project)
        self.participants[connection] = Participant(session, user, self._now(), node_id=node)
        return [Record(session_id=session.id)]

    def _admit(
        self,
        tx: Transaction,
        connections: list[UUID],
        projects: list[UUID],
        users: list[UUID],
        node: UUID,
        *_: object,
    ) -> Rows:
        rows = []
        for connection, project, user in zip(connections, projects, users, strict=True):
            document = self.documents.get(project)
            if document is None or document.deleted or user not in document.members:
                continue
            arrived = Participant(self._open_session(project), user, self._now(), node_id=node)
            self.participants.setdefault(connection, arrived)
            role = document.members[user]
            rows.append(
                Record(
                    connection_id=connection, role=role, credited=True, restriction=None, could_write=True, plan=None
                )
            )
        return rows

    def _leave_many(self, tx: Transaction, connections: list[UUID], edits: list[int]) -> Rows:
        rows = []
        for connection, count in zip(connections, edits, strict=True):
            participant = self.participants.get(connection)
            if participant is not None and not participant.left:
                participant.left, participant.seen_at = True, self._now()
                participant.edits = max(participant.edits, count)
                tx.undo.append(lambda participant=participant: setattr(participant, "left", False))  # type: ignore[misc]
                rows.append(Record(session_id=participant.session.id))
        return rows

    def _seen(self, tx: Transaction, connections: list[UUID], edits: list[int]) -> Rows:
        rows = []
        for connection in connections:
            participant = self.participants.get(connection)
            if participant is not None and not participant.left:
                participant.seen_at = self._now()
                rows.append(Record(connection_id=connection))
        return rows

    def _lost(self, tx: Transaction, project: UUID, node: UUID, within: timedelta) -> Rows:
        since = self._now() - within.total_seconds()
        nodes = {
            participant.node_id
            for participant in self.participants.values()
            if participant.session.project_id == project
            and participant.node_id != node
            and (participant.lost or not participant.left)
            and participant.seen_at > since
        }
        return [Record(node_id=found) for found in sorted(nodes, key=str)]

    def _sweep(self, tx: Transaction, stale_after: timedelta) -> Rows:
        rows = []
        for connection, participant in self.participants.items():
            if not participant.left and participant.seen_at < self._now() - stale_after.total_seconds():
                participant.left = participant.lost = True
                tx.undo.append(lambda participant=participant: setattr(participant, "left", False))  # type: ignore[misc]
                rows.append(Record(connection_id=connection))
        return rows

    def _empty(self, tx: Transaction) -> Rows:
        return [
            Record(id=session.id) for session in self.sessions if not session.ended and not self._has_people(session)
        ]

    def _close(self, tx: Transaction, ids: list[UUID]) -> Rows:
        for session in self.sessions:
            if session.id in ids and not session.ended and not self._has_people(session):
                session.ended = True
                tx.undo.append(lambda session=session: setattr(session, "ended", False))  # type: ignore[misc]
        return []

    def _has_people(self, session: Session) -> bool:
        return any(p.session is session and not p.left for p in self.participants.values())

    # ------------------------------------------------------------------ the rest

    def _memberships(self, tx: Transaction, projects: list[UUID]) -> Rows:
        return [
            Record(project_id=project, user_id=user, role=role, credited=True, restriction=None)
            for project in projects
            for user, role in self.documents[project].members.items()
        ]

    def _snapshot(self, tx: Transaction, *_: object) -> Rows:
        self.snapshots += 1
        return [Record(id=UUID(int=next(self._ids)))]

    def _claim(self, tx: Transaction, project: UUID, seq: int) -> Rows:
        document = self.documents.get(project)
        if document is None or self.projected.get(project, (0, 0)) >= (document.epoch, seq):
            return []
        self.projected[project] = (document.epoch, seq)
        return [Record(project_id=project)]


def _free(*_: object) -> tuple[()]:
    """No lock."""
    return ()


def _book(*_: object) -> tuple[str]:
    return (SESSIONS,)
