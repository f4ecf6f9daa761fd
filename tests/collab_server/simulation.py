"""A seeded world around one room: peers that edit, lines that break, a journal that lands late, twice or untold,
another node that writes too, and a server that dies. Everything random comes from the seed."""

import random
from uuid import UUID

from pycrdt import Map, Text

from collab_server import wire
from collab_server.member import Member
from collab_server.pending import Flight
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import Entry, decode
from studio.canonical import canonical
from tests.collab_server.author import Author
from tests.collab_server.rooms import SEED, Hands, Person, messages, open_room, replay

FAR = UUID(int=5_000)
WORDS = ("a", "é", "😀", "la la", "\n")


class Line:
    """One connection: what is on its way in either direction, in order."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.up: list[bytes] = []
        """Messages the server has not read yet."""
        self.down: list[bytes] = []
        """Writes the client has not read yet."""
        self.early: list[bytes] | None = []
        """Updates heard before the first Step2: yrs, unlike Yjs, forgets to clear what it kept for later, and from then
        on encodes nonsense. So what leans on the unknown waits outside. None once Step2 is here."""
        self.answered = False
        """Whether the server has answered its first Step1."""
        person.member.write = self.down.append

    @property
    def member(self) -> Member:
        """Who it is to the room."""
        return self.person.member


class Simulation:
    """`step()` does one random thing; `settle()` connects everybody and lets everything arrive."""

    def __init__(self, seed: int, peers: int = 4) -> None:
        self.rng = random.Random(seed)
        self.rows: list[list[Entry]] = []
        self.hands = Hands(open_room())
        self.people = [Person(100 + number, name=f"P{number}") for number in range(peers)]
        self.lines: dict[int, Line] = {}
        self.unsaved: dict[int, list[bytes]] = {number: [] for number in range(peers)}
        self.flight: Flight | None = None
        self.far = Author(5_000)
        self.far.doc.apply_update(SEED)
        self.far_rows = 0
        self.fresh = 20_000
        self.saved = 0

    # ------------------------------------------------------------------ what may happen

    def step(self) -> None:
        """One random thing."""
        steps = (self.edit, self.edit, self.read, self.read, self.tick, self.listen, self.listen, self.take, self.land)
        rare = (self.drop, self.connect, self.connect, self.lag, self.far_edit, self.hear_again, self.crash)
        self.rng.choice(rare if self.rng.random() < 0.15 else steps)()

    def edit(self) -> None:
        """Somebody edits, connected or not; sometimes a whole drag."""
        number = self.rng.randrange(len(self.people))
        for _ in range(self.rng.choice((1, 1, 1, 6))):
            update = self._edit(self.people[number])
            if update and number in self.lines:
                self.unsaved[number].append(update)
                self.lines[number].up.append(wire.encode_update(update))

    def read(self) -> None:
        """The server reads some of what is on its way from somebody."""
        for number, line in list(self.lines.items()):
            for _ in range(self.rng.randrange(4)):
                if line.up and self.lines.get(number) is line:
                    self._said(line, line.up.pop(0))

    def tick(self) -> None:
        """The server's event loop has come round."""
        self.hands.tick()

    def listen(self) -> None:
        """Somebody reads some of what was written to them."""
        for number, line in self.lines.items():
            for _ in range(self.rng.randrange(4)):
                if line.down:
                    self._heard(number, line, line.down.pop(0))

    def take(self) -> None:
        """A flush begins, if none is under way."""
        if self.flight is None and self.hands.record_due:
            self.hands.record_due = False
            self.flight = self.hands.room.take()

    def land(self) -> None:
        """The flush has landed; rows of the other node that came between are caught up with, our own among them."""
        if self.flight is None:
            return
        flight, self.flight = self.flight, None
        before = self.hands.room.head
        seq = self._append(flight)
        self.hands.do(self.hands.room.landed(flight, seq))
        if seq is not None and seq > before + 1:
            self._catch_up(before)

    def drop(self) -> None:
        """A line breaks: what was on its way is lost."""
        if self.lines:
            number = self.rng.choice(list(self.lines))
            self.hands.do(self.hands.room.leave(self.lines.pop(number).member))

    def connect(self) -> None:
        """Somebody comes (back)."""
        away = [number for number in range(len(self.people)) if number not in self.lines]
        if away:
            self._connect(self.rng.choice(away))

    def lag(self) -> None:
        """Somebody's outbox is full, or has drained."""
        for line in self.lines.values():
            if line.member.lag_vector is not None:
                self.hands.do(self.hands.room.resync(line.member))
            elif line.answered and self.rng.random() < 0.3:
                line.member.lag_vector = self.hands.room.vector()

    def far_edit(self) -> None:
        """The other node commits a row; this one hears of it now or later."""
        for row in self.rows[self.far_rows :]:
            for entry in row:
                self.far.doc.apply_update(entry.update)
        update = self._edit(self.far)
        if not update:
            return
        before = self.hands.room.head
        self.rows.append([Entry(FAR, update)])
        self.far_rows = len(self.rows)
        if self.flight is None and len(self.rows) == before and self.rng.random() < 0.7:
            self.hands.do(self.hands.room.grow(before + 1, self.rows[-1]))
        elif self.rng.random() < 0.5:
            self._catch_up(before)

    def hear_again(self) -> None:
        """The bus repeats an old row."""
        if self.rows:
            index = self.rng.randrange(min(len(self.rows), self.hands.room.head - 1) or 1)
            if index + 2 <= self.hands.room.head:
                self.hands.do(self.hands.room.grow(index + 2, self.rows[index]))

    def crash(self) -> None:
        """kill -9, with a flush that had landed or had not; the document is loaded from the journal."""
        if self.rng.random() < 0.7:
            return
        if self.flight is not None and self.rng.random() < 0.5:
            self._append(self.flight)
        self.flight = None
        self.lines.clear()
        self.hands.room.close()
        updates = [entry.update for row in self.rows for entry in row]
        clients = {100 + number: person.user for number, person in enumerate(self.people)}
        self.hands = Hands(open_room(updates, clients=clients, client=self.fresh))
        self.hands.room.head = len(self.rows) + 1
        self.fresh += 1
        self.hands.record_due = bool(self.hands.room.pending)

    # ------------------------------------------------------------------ the end

    def settle(self) -> None:
        """Everybody connects and everything arrives."""
        for number in range(len(self.people)):
            if number not in self.lines:
                self._connect(number)
        self._catch_up(self.hands.room.head)
        for _ in range(200):
            self.lag_no_more()
            for number, line in self.lines.items():
                while line.up:
                    self._said(line, line.up.pop(0))
                while line.down:
                    self._heard(number, line, line.down.pop(0))
            self.tick()
            self.take()
            self.land()
            if not self._busy():
                return
        raise AssertionError("never quiet")

    def lag_no_more(self) -> None:
        """Every outbox has drained."""
        for line in self.lines.values():
            if line.member.lag_vector is not None:
                self.hands.do(self.hands.room.resync(line.member))

    def check(self) -> None:
        """All documents and the replay of the journal are equal, everything is acknowledged, nobody was expelled."""
        truth = canonical(self.hands.room.doc)
        for person in self.people:
            assert person.json() == truth
        assert canonical(replay(self.rows)) == truth
        assert canonical(open_room([entry.update for row in self.rows for entry in row]).doc) == truth
        assert not any(self.unsaved.values())
        assert not self.hands.expelled
        assert self.hands.spoiled is None

    # ------------------------------------------------------------------ inside

    def _busy(self) -> bool:
        waiting = any(line.up or line.down for line in self.lines.values())
        return waiting or self.hands.tick_due or self.hands.record_due or self.flight is not None

    def _append(self, flight: Flight) -> int | None:
        if flight.batch is None:
            return None
        self.rows.append(decode(flight.batch.body))
        return len(self.rows) + 1

    def _catch_up(self, after: int) -> None:
        for index in range(after - 1, len(self.rows)):
            self.hands.do(self.hands.room.grow(index + 2, self.rows[index]))

    def _connect(self, number: int) -> None:
        person = self.people[number] = self.people[number].again()
        line = self.lines[number] = Line(person)
        self.unsaved[number].clear()
        line.up.append(wire.encode_step1(person.doc.get_state()))
        self.hands.do(self.hands.room.join(line.member))

    def _said(self, line: Line, message: bytes) -> None:
        kind, payload, _ = wire.read_message(message)
        room = self.hands.room
        if kind is Kind.STEP1:
            self.hands.do(room.ask(line.member, payload))
            line.answered = True
        else:
            merge = kind is Kind.STEP2
            self.hands.do(room.edit(line.member, payload, merge=merge, salvage=merge))

    def _heard(self, number: int, line: Line, data: bytes) -> None:
        unsaved = self.unsaved[number]
        for kind, payload in messages(data):
            if kind is Kind.STEP1:
                missing = line.person.doc.get_update(payload)
                if missing != EMPTY_UPDATE:
                    unsaved.append(missing)
                line.up.append(wire.encode_step2(missing))
            elif kind is Kind.UPDATE and payload in unsaved:
                del unsaved[: unsaved.index(payload) + 1]
                self.saved += 1
            elif kind is Kind.UPDATE and line.early is not None:
                line.early.append(payload)
            elif kind in (Kind.STEP2, Kind.UPDATE):
                line.person.doc.apply_update(payload)
                for update in line.early or ():
                    line.person.doc.apply_update(update)
                line.early = None

    def _edit(self, author: Author) -> bytes:
        rng = self.rng
        tracks = [id for id in author.json()["tracks"] if id.startswith("t_")]
        pick = rng.randrange(10)
        if not tracks or pick == 0:
            return author.track(f"t_{rng.randrange(6)}", name=rng.choice(WORDS), order=rng.choice("abc"))
        if pick < 5:
            return author.field("tracks", rng.choice(tracks), "gain_db", rng.choice((-1, -2.5, 0, 3, 1e9, "loud")))
        if pick == 5:
            return author.marker(f"m_{rng.randrange(5)}", rng.randrange(4_000), rng.choice(WORDS))
        if pick == 6:
            return author.put("transport", "bpm", rng.choice((90, 120, 97.5, float("nan"))))
        if pick == 7:
            return author.note(f"n_{rng.randrange(3)}", rng.choice(WORDS))
        return self._type(author)

    def _type(self, author: Author) -> bytes:
        """Type into a note, or take a key away."""
        notes = author.doc.get("notes", type=Map)
        texts = [
            note["body"] for note in notes.values() if isinstance(note, Map) and isinstance(note.get("body"), Text)
        ]
        if not texts:
            return author.note("n_0", "first")
        text = self.rng.choice(texts)
        word = self.rng.choice(WORDS)

        def type_or_delete(_: object) -> None:
            if self.rng.random() < 0.7 or not str(text):
                text.insert(0, word)
            else:
                del text[0 : len(str(text)[0].encode())]

        return author.edit(type_or_delete)
