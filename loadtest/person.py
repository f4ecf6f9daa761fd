"""A simulated musician: a real Yjs document behind one websocket, coming back by itself when it breaks."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

from loadtest.author import Author
from loadtest.doors import Doors
from loadtest.errors import Refused
from loadtest.lib0 import read_vectors
from loadtest.link import Link, connect
from loadtest.meter import Meter
from loadtest.reach import reach
from loadtest.reader import Heard, Malformed, Reader
from loadtest.room import Room
from loadtest.song import Change, Song
from loadtest.wire import EMPTY, Kind, Speaker

SYNC_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.5  # y-websocket's back-off
ANNOUNCED = frozenset({1001, 1012, 1013, 4503, 4205})  # "come back": no error of anybody's
RENEW_NS = 15 * 10**9
PRESENCE = json.dumps({"name": "Player", "color": "#43a88a"})


@dataclass(slots=True, frozen=True)
class World:
    """What all people of a worker share."""

    doors: Doors
    reader: Reader
    meter: Meter
    rng: random.Random
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def spawn(self, work: "asyncio.Task[None]") -> None:
        """Keep a task alive."""
        self.tasks.add(work)
        work.add_done_callback(self.tasks.discard)


class Person:
    """One seat of a room."""

    def __init__(self, world: World, room: Room, seat: int, witness: bool = False) -> None:
        self.world, self.room, self.seat, self.witness = world, room, seat, witness
        self.wants_in = self.inside = self._coming = False
        self._speaker = Speaker(world.reader.dialect, room.place.name)
        self._link: Link | None = None
        self._synced = asyncio.Event()
        self._said = (b"", 0, 0)  # presence: the state, its clock, when
        self._anew()
        room.people.append(self)

    def _anew(self) -> None:
        client = self.world.rng.randrange(1 << 28, 1 << 32)
        self.song, self.author = Song(client), Author(client, self.world.doors.number(self.seat))
        self._seen: dict[int, int] = {}
        self._heard_of: dict[int, int] = {}
        self._since = 1 << 62  # what is made from then on is due here
        if not self.witness:
            self.room.authors[client] = self.author

    # --- coming and going ---

    async def arrive(self) -> None:
        """Come in with an empty document, trying again as long as it takes."""
        self.wants_in = True
        await self._come()

    async def leave(self, patience: float = 3.0) -> None:
        """Wait a little until everything is saved, then go, forgetting the document."""
        end = time.monotonic() + patience
        while self.author.unsaved() and self.inside and time.monotonic() < end:  # noqa: ASYNC110 - three conditions
            await asyncio.sleep(0.02)
        self.world.meter.counts["left_unsaved"] += self.author.unsaved()
        self.world.meter.counts["leaves"] += 1
        self.go()
        self.song.close()
        self._anew()

    def go(self) -> None:
        """Close the websocket and stay away."""
        self.wants_in = self.inside = False
        link, self._link = self._link, None
        if link is not None:
            link.leave()

    def cut(self) -> None:
        """The line breaks on this side; the person comes back with what they had."""
        self.inside, self._since = False, 1 << 62
        self.author.grounded()
        link, self._link = self._link, None
        if link is not None:
            link.cut()

    async def come_back(self) -> None:
        """After `cut`."""
        await self._come()

    def carry_on(self) -> None:
        """This life was interrupted: whoever was on the way in still gets in."""
        if self.wants_in and not self.inside and not self._coming:
            self.cut()
            self.world.spawn(asyncio.create_task(self._come()))

    async def _come(self) -> None:
        pause, self._coming = FIRST_PAUSE, True
        try:
            while self.wants_in and not await self._entered():
                await asyncio.sleep(pause * self.world.rng.uniform(0.5, 1.0))
                pause = min(LONGEST_PAUSE, pause * 2)
        finally:
            self._coming = False

    async def _entered(self) -> bool:
        try:
            await self._enter()
        except Refused as refusal:
            self.world.meter.error(f"join: {refusal}")
        return self.inside

    async def _enter(self) -> None:
        address = await self.world.doors.address(self.room.place, self.seat)
        began = time.perf_counter_ns()
        self._synced.clear()
        link = await connect(address, self)
        try:
            await asyncio.wait_for(self._synced.wait(), SYNC_SECONDS)
        except TimeoutError:
            link.cut()
            raise Refused(0, f"no document in {SYNC_SECONDS:.0f} s") from None
        if self._link is not link:
            raise Refused(0, "closed while joining")
        now = time.perf_counter_ns()
        self.inside, self._since = True, min(self._since, now)
        self.world.meter.times["join"].record((now - began) / 1000)
        self.world.meter.counts["joins"] += 1

    # --- what the link tells ---

    def opened(self, link: Link) -> None:
        """Say hello."""
        self._link = link
        for message in self._speaker.hello(self.song.doc.get_state()):
            link.send(message)
        if self._said[0]:
            self._announce(self._said[0])

    def ended(self, link: Link, code: int, reason: str) -> None:
        """The server went: come back, as a browser does."""
        if self._link is not link:
            return
        was_inside, self.inside, self._link = self.inside, False, None
        self.author.grounded()
        self.world.meter.counts["disconnects"] += 1
        if code not in ANNOUNCED:
            self.world.meter.error(f"closed: {code} {reason}".strip())
        self._synced.set()
        if was_inside and self.wants_in:
            self.world.spawn(asyncio.create_task(self._come()))

    def heard(self, frame: bytes) -> None:
        """A frame from the server."""
        now = time.perf_counter_ns()
        self.world.meter.counts["bytes_in"] += len(frame)
        try:
            messages = self.world.reader.read(frame)
        except Malformed as error:
            self.world.meter.error(str(error))
            return
        for message in messages:
            self._understand(message, now)

    def _understand(self, heard: Heard, now: int) -> None:
        match heard.kind:
            case Kind.UPDATE:
                self._edits(heard, now)
            case Kind.AWARENESS:
                self._presence(heard, now)
            case Kind.SAVED:
                self._count_acks(self.author.confirmed(now, self.world.meter.times["ack"].record))
            case Kind.STEP2:
                self._edits(heard, now)
                self._synced.set()
            case Kind.STEP1:
                self._answer(heard.body)
            case Kind.DENIED:
                self.world.meter.error("denied")
            case Kind.CLOSED:
                self.world.meter.error("the server closed the document")
            case Kind.OTHER:
                pass

    def _answer(self, vector: bytes) -> None:
        self.author.recognised(read_vectors(vector).get(self.author.client, 0))
        self.song.fold()
        update = self.song.doc.get_update(vector) if self.author.ends else EMPTY
        self.author.sent()
        if self._link is not None:
            self._link.send(self._speaker.step2(update))

    def _edits(self, heard: Heard, now: int) -> None:
        others = not heard.reach
        for client, end in heard.reach.items():
            if client == self.author.client:
                self._own(heard, end, now)
                continue
            others = True
            author = self.room.authors.get(client)
            if author is not None:
                self._delivered(author, end, now)
        if others:
            self.song.receive(heard.body)

    def _own(self, heard: Heard, end: int, now: int) -> None:
        if heard.kind is Kind.STEP2:
            self.author.recognised(end)
        elif not self._speaker.counts_confirmations:
            self._count_acks(self.author.echoed(end, now, self.world.meter.times["ack"].record))

    def _count_acks(self, count: int) -> None:
        self.world.meter.counts["acks"] += count

    def _delivered(self, author: Author, end: int, now: int) -> None:
        at, ends, times = self._seen.get(author.client, 0), author.ends, author.times
        if at >= len(ends) or ends[at] > end:
            return
        meter, begin = self.world.meter, at
        apart = self.world.doors.between(author.door, self.seat)
        while at < len(ends) and ends[at] <= end:
            if times[at] >= self._since:
                took = (now - times[at]) / 1000
                meter.times["delivery"].record(took)
                if apart:
                    meter.times[apart].record(took)
            at += 1
        self._seen[author.client] = at
        if self._since <= now:
            meter.counts["deliveries"] += at - begin

    def _presence(self, heard: Heard, now: int) -> None:
        for client, at in heard.stamps:
            if client != self.author.client and at > self._heard_of.get(client, self._since):
                self._heard_of[client] = at
                self.world.meter.times["presence"].record((now - at) / 1000)
                self.world.meter.counts["presence_heard"] += 1

    # --- what a person does ---

    def edit(self, change: Change) -> None:
        """Change the document: at once for oneself, then for the others. Offline it waits for the way back."""
        update = self.song.edit(change)
        if update is None:
            return
        self.author.made(reach(update)[self.author.client], time.perf_counter_ns())
        self.world.meter.counts["edits"] += 1
        if self._link is not None:
            self.author.sent()
            self._link.send(self._speaker.update(update))

    def show(self, **state: object) -> None:
        """Show presence: cursor, selection, drag."""
        self._announce(json.dumps(state, separators=(",", ":"))[1:-1].encode())

    def renew(self, now: int) -> None:
        """Presence is renewed every 15 seconds."""
        if self._said[0] and now - self._said[2] > RENEW_NS:
            self._announce(self._said[0])

    def _announce(self, fields: bytes) -> None:
        now, clock = time.perf_counter_ns(), self._said[1] + 1
        self._said = (fields, clock, now)
        if self._link is None:
            return
        stamp = b"~%x.%x~" % (self.author.client, now)
        state = b'{"user":%b,"at":"%b",%b}' % (PRESENCE.encode(), stamp, fields)
        self._link.send(self._speaker.awareness(self.author.client, clock, state))
        self.world.meter.counts["presence_sent"] += 1
