"""A room without sockets: people with pycrdt documents, and hands that perform what the room decides."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never
from uuid import UUID, uuid4

from pycrdt import Doc

from collab_server import wire
from collab_server.dialects.dialect import Dialect
from collab_server.dialects.yws import YWebsocket
from collab_server.effects import (
    Announce,
    Deflate,
    Doubt,
    Effect,
    Effects,
    Expel,
    KeepDraft,
    KeepUnsent,
    PresenceTick,
    Recheck,
    Record,
    Relay,
    Saved,
    Send,
    SnapshotFirst,
    Spoil,
    Spread,
    Tick,
    Try,
)
from collab_server.member import Member
from collab_server.opening import build
from collab_server.pending import Flight
from collab_server.room import Room
from collab_server.settings import Limits
from collab_server.shadow import Shadow, copied
from collab_server.wire import Kind
from persistence.body import Entry, encode
from persistence.journal import Loaded, Row
from presence.principal import Principal
from studio.blank import blank, open_doc
from studio.roles import Role
from tests.collab_server.author import Author

PROJECT = UUID(int=7)
OWNER = UUID(int=1)
REPAIRER = 9_999
"""The client id under which the rooms of these tests repair."""
NOW_MS = 1_800_000_000_000
SEED = blank(str(PROJECT), "Song", str(OWNER), 0, 1)
DIALECT = YWebsocket()


def open_room(
    updates: Sequence[bytes] = (),
    *,
    clients: dict[int, UUID] | None = None,
    limits: Limits | None = None,
    client: int = REPAIRER,
) -> Room:
    """A room as loaded from a journal of the seed and `updates`, one row each."""
    rows = [Row(seq, encode([Entry(OWNER, update)])) for seq, update in enumerate((SEED, *updates), start=1)]
    loaded = Loaded(epoch=1, head=len(rows), state=None, tail=rows, clients=dict(clients or {}))
    return build(PROJECT, loaded, client, limits or Limits())


def frames(data: bytes) -> list[bytes]:
    """The payloads of unmasked websocket frames (RFC 6455 section 5.2) that were written one after the other."""
    found, pos = [], 0
    while pos < len(data):
        length, head = data[pos + 1], 2
        if length == 126:
            length, head = int.from_bytes(data[pos + 2 : pos + 4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(data[pos + 2 : pos + 10], "big"), 10
        found.append(data[pos + head : pos + head + length])
        pos += head + length
    assert pos == len(data)
    return found


def messages(data: bytes) -> list[tuple[Kind, bytes]]:
    """(kind, payload) of every message in written frames; each frame holds one, as y-websocket wants it."""
    found = []
    for frame in frames(data):
        kind, payload, end = wire.read_message(frame)
        assert end == len(frame)
        found.append((kind, payload))
    return found


class Person(Author):
    """Somebody with a document and a connection."""

    def __init__(
        self,
        client: int,
        *,
        role: Role = Role.EDITOR,
        user: UUID | None = None,
        name: str = "Ada",
        dialect: Dialect = DIALECT,
        could_write: bool = False,
    ) -> None:
        self.user = user or uuid4()
        super().__init__(client)
        self.written: list[bytes] = []
        principal = Principal(self.user, name, "#aa3355", role, PROJECT, True)
        self.member = Member(uuid4(), principal, dialect, self.written.append, could_write=could_write)

    def again(self) -> "Person":
        """The same person and document on a new connection."""
        other = Person(0, role=self.member.role, user=self.user, name=self.member.principal.name)
        other.doc = self.doc
        other.made = self.made
        return other

    def know(self, *updates: bytes) -> "Person":
        """Have these updates already."""
        for update in updates:
            self.doc.apply_update(update)
        self.made.clear()
        return self

    def take(self) -> bytes:
        """Everything written to this person since the last time."""
        data = b"".join(self.written)
        self.written.clear()
        return data

    def heard(self) -> list[tuple[Kind, bytes]]:
        """The messages written to this person since the last time."""
        return messages(self.take())

    def listen(self) -> list[tuple[Kind, bytes]]:
        """Hear what was written and apply it, as a client does."""
        heard = self.heard()
        for kind, payload in heard:
            if kind in (Kind.UPDATE, Kind.STEP2):
                self.doc.apply_update(payload)
        self.made.clear()
        return heard


class Hands:
    """Performs a room's effects at once and writes down those that ask for something later."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.expelled: dict[Member, tuple[int, str]] = {}
        self.drafts: list[KeepDraft] = []
        self.trying: list[Try] = []
        """Who waits for a shadow, with what."""
        self.copies: list[tuple[Shadow, bytes]] = []
        """Shadows that are to be made."""
        self.unsent: list[Member] = []
        """Whose unsent work is to be kept."""
        self.snapshots: list[tuple[Member, bytes]] = []
        """Before whose offline work the document is to be kept, and as what."""
        self.announced: list[bytes] = []
        self.spoiled: str | None = None
        self.doubted = self.rechecks = False
        self.tick_due = self.presence_due = self.record_due = False

    def do(self, effects: Effects) -> "Hands":
        """Perform."""
        for effect in effects:
            self._do(effect)
        return self

    def join(self, *people: Person) -> None:
        """Let people in; they hear what a newcomer hears, and ask for everything."""
        for person in people:
            self.do(self.room.join(person.member))
            self.do(self.room.ask(person.member, person.doc.get_state()))
            person.listen()

    def edit(self, person: Person, *updates: bytes) -> None:
        """Updates arrive and the tick passes."""
        for update in updates:
            self.do(self.room.edit(person.member, update))
        self.tick()

    def tick(self) -> None:
        """The event loop has read what was there."""
        if self.tick_due:
            self.tick_due = False
            self.do(self.room.tick(NOW_MS))

    def copy(self) -> None:
        """The shadows are made, and who waited for them is heard."""
        for shadow, state in self.copies:
            self.room.trials.opened(shadow, copied(state))
        self.copies.clear()
        trying, self.trying = self.trying, []
        for held in trying:
            self.do(self.room.edit(held.member, held.update, merge=held.merge))

    def presence_tick(self) -> None:
        """The gather time of presence has passed."""
        if self.presence_due:
            self.presence_due = False
            self.do(self.room.attendance.tick())

    def commit(self) -> Flight | None:
        """One flush of the journal that lands as the next row."""
        if not self.record_due:
            return None
        self.record_due = False
        flight = self.room.take()
        self.do(self.room.landed(flight, self.room.head + 1 if flight.batch else None))
        return flight

    def _do(self, effect: Effect) -> None:
        match effect:
            case Relay(to, data):
                for member in to:
                    if member.lag_vector is None:
                        member.write(data)
            case Spread(to, data):
                for member in to:
                    member.write(data)
            case Send(member, data) | Saved(member, data):
                if member.lag_vector is None:
                    member.write(data)
                else:
                    member.late_acks.append(data)
            case Tick():
                self.tick_due = True
            case PresenceTick():
                self.presence_due = True
            case Record():
                self.record_due = True
            case Expel(member, code, reason):
                self.expelled[member] = code, reason
                self.do(self.room.leave(member))
            case KeepDraft():
                self.drafts.append(effect)
            case Try():
                self.trying.append(effect)
                if effect.state is not None:
                    self.copies.append((effect.shadow, effect.state))
            case KeepUnsent(member):
                self.unsent.append(member)
            case SnapshotFirst(member):
                self.snapshots.append((member, self.room.state()))
            case Announce(entries):
                self.announced.append(entries)
            case Spoil(reason):
                self.spoiled = reason
            case Doubt():
                self.doubted = True
            case Recheck():
                self.rechecks = True
            case Deflate(dialect, state):
                self.room.join_state.keep(dialect, state, dialect.step2(state, deflated=True))
            case _:
                assert_never(effect)


def replay(bodies: Iterable[Sequence[Entry]]) -> "Doc[Any]":
    """The document of a journal: the seed and these rows."""
    doc = open_doc()
    doc.apply_update(SEED)
    for entries in bodies:
        for entry in entries:
            doc.apply_update(entry.update)
    return doc


def desk(*people: Person) -> Hands:
    """A fresh room that these people have joined."""
    hands = Hands(open_room())
    hands.join(*people)
    return hands


def expelled(hands: Hands, person: Person) -> int | None:
    """The close code this person was sent away with."""
    code, _ = hands.expelled.get(person.member, (None, ""))
    return code
