"""The connected clients of a run, their writers, and the account of what was sent, delivered and echoed."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.connection import Connection, Refused, connect
from bench.job import Job
from bench.reader import Chunk, Edit, Reader
from bench.wire import Speaker
from bench.yjs import LabelWriter

CONNECTING = 16  # handshakes under way at a time
SYNC_DEADLINE = 60.0  # seconds
SPARE = 16  # edits that are made at a time once the prepared ones are used up


@dataclass(slots=True)
class Author:
    """A connection that writes. Its edits are made beforehand: the client then answers as fast as many people would."""

    connection: Connection
    writer: LabelWriter
    receivers: int
    _ready: deque[tuple[bytes, bytes]] = field(default_factory=deque)

    def prepare(self, count: int) -> None:
        """Make the next `count` edits: keys and frames."""
        for _ in range(count):
            key, update = self.writer.next()
            self._ready.append((key, self.connection.speaker.update(update)))

    def next(self) -> tuple[bytes, bytes]:
        """The key and the frame of the next edit."""
        if not self._ready:
            self.prepare(SPARE)
        return self._ready.popleft()


class Account:
    """Counts deliveries to others and, from a moment on, the times (ns) of deliveries and of echoes to the author."""

    def __init__(self) -> None:
        self.deliveries = self.echoes = self.sent = self.completed = self.surplus = 0
        self.timed_from = 1 << 63
        self.delivery_times: list[int] = []
        self.echo_times: list[int] = []
        self.on_complete: Callable[[list[Edit]], None] | None = None

    def heard(self, connection: Connection, chunk: Chunk, now: int) -> None:
        """A connection got edits."""
        delivered, complete = 0, []
        for edit in chunk.edits:
            if edit.author is connection:
                self._echoed(edit, now)
                continue
            delivered += 1
            edit.remaining -= 1
            if not edit.remaining:
                complete.append(edit)
            elif edit.remaining < 0:
                self.surplus += 1
            if edit.sent >= self.timed_from:
                self.delivery_times.append(now - edit.sent)
        self.deliveries += delivered
        if complete:
            self.completed += len(complete)
            if self.on_complete is not None:
                self.on_complete(complete)

    def _echoed(self, edit: Edit, now: int) -> None:
        if edit.echoed:
            return
        edit.echoed = True
        self.echoes += 1
        if edit.sent >= self.timed_from:
            self.echo_times.append(now - edit.sent)


class Crowd:
    """Everyone of a job; seats are dealt room by room, the first of a room being in before the others come."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.reader = Reader(job.dialect)
        self.account = Account()
        self.connections: list[Connection] = []
        self.authors: list[Author] = []
        self._base = random.getrandbits(29) | 1 << 29

    def client_id(self, index: int) -> int:
        """A Yjs client id of this run."""
        return self._base + index * 7

    async def enter(self, room: int, seat: int) -> Connection:
        """One more client, in sync with its room."""
        connection = await self.knock(room, seat)
        await asyncio.wait_for(connection.synced, SYNC_DEADLINE)
        return connection

    async def knock(self, room: int, seat: int) -> Connection:
        """One more client whose handshake is under way."""
        door = self.job.doors[room]
        speaker = Speaker(self.job.dialect, door.room)
        target = door.targets[seat % len(door.targets)]
        connection = await connect(self.job.port, target, self.reader, speaker, self.account.heard)
        self.connections.append(connection)
        return connection

    async def assemble(self, clients: int, rooms: int) -> list[list[Connection]]:
        """`clients` clients spread over `rooms` rooms; the result is by room and seat."""
        gate = asyncio.Semaphore(CONNECTING)

        async def seated(room: int, seat: int) -> Connection:
            async with gate:
                return await self.enter(room, seat)

        first = await asyncio.gather(*(seated(room, 0) for room in range(rooms)))
        present = [[connection] for connection in first]
        others = [(index % rooms, index // rooms) for index in range(rooms, clients)]
        for (room, _), connection in zip(others, await asyncio.gather(*(seated(*at) for at in others)), strict=True):
            present[room].append(connection)
        return present

    def seat_authors(self, present: list[list[Connection]], writers: int, edits: int) -> None:
        """Make the first `writers` of each room its authors, with `edits` edits prepared between them."""
        for members in present:
            for connection in members[:writers]:
                index = len(self.authors)
                writer = LabelWriter(index, self.client_id(index))
                self.authors.append(Author(connection, writer, len(members) - 1))
        for author in self.authors:
            author.prepare(edits // len(self.authors))

    def send(self, author: Author, number: int = 1) -> None:
        """The author's next edits, a frame each, in one system call."""
        frames, now, edits = [], time.perf_counter_ns(), self.reader.edits
        for _ in range(number):
            key, frame = author.next()
            edits[key] = Edit(author.connection, now, author.receivers)
            frames.append(frame)
        self.account.sent += number
        author.connection.send(b"".join(frames))

    def check(self) -> None:
        """Raise Refused if a server dropped anyone."""
        for connection in self.connections:
            if connection.refusal:
                raise Refused(connection.refusal)

    def leave(self) -> None:
        """Everyone goes."""
        for connection in self.connections:
            connection.leave()
