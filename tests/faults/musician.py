"""A client that never gives up: it edits, connected or not, comes back as y-websocket does, and notes its echoes.

What it sent and got back byte for byte is acknowledged: from then on the server may not lose it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from pycrdt import Map
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from collab_server import wire
from collab_server.wire import EMPTY_UPDATE, Kind
from tests.collab_server.author import Author

AWAY = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidMessage)
PERMANENT = range(4400, 4500)
"""Close codes after which y-websocket stays away."""
BACKOFF_SECONDS = (0.02, 0.2)
OPEN_SECONDS = 5.0
"""How long a handshake may take: a line that swallows everything is left for another one."""
TRACKS = tuple(f"trk_{letter * 12}" for letter in "abcd")


class Absence(NamedTuple):
    """A time without a connection, until everything was here again."""

    began: float
    seconds: float
    own_pause: float
    """How long the client itself waited before it tried again, all tries together."""
    tries: int


class Musician(Author):
    """One person's client under one Yjs client id, through any number of connections."""

    def __init__(self, client: int, address: Callable[[], str], rng: random.Random) -> None:
        super().__init__(client)
        self.client = client
        self.acknowledged: list[bytes] = []
        self.closes: Counter[int] = Counter()
        self.refused = ""
        self.synced = False
        self.connections = 0
        self.edits = 0
        self.delays: list[tuple[float, float]] = []
        """(when, how long after it was made) of every acknowledgement; of several edits in one, of the oldest."""
        self.absences: list[Absence] = []
        self.address = address
        self._rng = rng
        self._unsaved: Counter[bytes] = Counter()
        self._made_at: dict[bytes, float] = {}
        self._oldest: float | None = None
        """When the oldest edit was made that is not acknowledged and whose update was never sent by itself."""
        self._away_since = 0.0
        self._pauses: list[float] = []
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._connected = False
        self._socket: ClientConnection | None = None

    @property
    def settled(self) -> bool:
        """Connected, and everything sent on this connection is acknowledged."""
        return self._connected and self.synced and not self._unsaved

    def saved_since(self, moment: float) -> bool:
        """Whether everything made until `moment` is acknowledged."""
        oldest = min([*self._made_at.values(), *([] if self._oldest is None else [self._oldest])], default=moment + 1)
        return self._connected and self.synced and oldest > moment

    def worst_delay(self, since: float = 0.0) -> float:
        """The longest wait for an acknowledgement that came after `since`, in seconds."""
        return max((seconds for when, seconds in self.delays if when >= since), default=0.0)

    async def stay(self) -> None:
        """Connect again and again, until cancelled or refused for good."""
        while not self.refused:
            with suppress(*AWAY):
                async with connect(
                    self.address(), max_size=None, ping_interval=None, compression=None, open_timeout=OPEN_SECONDS
                ) as socket:
                    await self._converse(socket)
            self._connected = self.synced = False
            self._pauses.append(self._rng.uniform(*BACKOFF_SECONDS))
            await asyncio.sleep(self._pauses[-1])

    def hang_up(self) -> None:
        """Give the connection up without a word, as a client does that has heard nothing for too long."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def play(self, mean_seconds: float) -> None:
        """Edit for ever, on average every `mean_seconds`, online or not."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / mean_seconds))
            self.tell(self._improvise())

    def tell(self, update: bytes) -> None:
        """Send one's own edit if there is a connection; without one, Step2 will carry it."""
        self.edits += 1
        if self._connected:
            self._sent(update, time.monotonic())
            self._outgoing.put_nowait(wire.encode_update(update))
        elif self._oldest is None:
            self._oldest = time.monotonic()

    async def _converse(self, socket: ClientConnection) -> None:
        self.connections += 1
        self._socket = socket
        self._forget_sent()
        self._outgoing = asyncio.Queue()
        self._connected = True
        await socket.send(wire.encode_step1(self.doc.get_state()))
        speaking = asyncio.create_task(self._speak(socket))
        try:
            async for message in socket:
                assert isinstance(message, bytes)
                self._heard(message)
        finally:
            speaking.cancel()
            self._connected = False
            if self.synced:
                self._away_since, self._pauses = time.monotonic(), []
            code = socket.close_code or 1006
            self.closes[code] += 1
            if code in PERMANENT:
                self.refused = f"{code} {socket.close_reason}"

    async def _speak(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(await self._outgoing.get())

    def _sent(self, update: bytes, made_at: float) -> None:
        self._unsaved[update] += 1
        self._made_at.setdefault(update, made_at)

    def _forget_sent(self) -> None:
        """What is not acknowledged will be sent again, in one update with everything else that is missing."""
        times = [*self._made_at.values(), *([] if self._oldest is None else [self._oldest])]
        self._oldest = min(times, default=None)
        self._made_at.clear()
        self._unsaved.clear()

    def _heard(self, message: bytes) -> None:
        kind, payload, end = wire.read_message(message)
        assert end == len(message)
        if kind is Kind.STEP1:
            missing = self.doc.get_update(payload)
            if missing != EMPTY_UPDATE:
                self._forget_sent()  # an edit that the server could not place is in here again
                self._sent(missing, time.monotonic() if self._oldest is None else self._oldest)
            self._oldest = None
            self._outgoing.put_nowait(wire.encode_step2(missing))
        elif kind is Kind.STEP2:
            self.doc.apply_update(payload)
            self._back()
        elif kind is Kind.UPDATE:
            self._updated(payload)

    def _back(self) -> None:
        if not self.synced and self._away_since:
            seconds = time.monotonic() - self._away_since
            self.absences.append(Absence(self._away_since, seconds, sum(self._pauses), len(self._pauses)))
        self.synced = True

    def _updated(self, update: bytes) -> None:
        if update in self._unsaved:
            self._unsaved[update] -= 1
            if not self._unsaved[update]:
                del self._unsaved[update]
                now = time.monotonic()
                self.delays.append((now, now - self._made_at.pop(update)))
            self.acknowledged.append(update)
        else:
            self.doc.apply_update(update)

    def _improvise(self) -> bytes:
        """One edit as musicians make them; some are wrong and will be repaired by the server."""
        rng = self._rng
        track = rng.choice(TRACKS)
        if track not in self.doc.get("tracks", type=Map):
            return self.track(track, name=f"{self.client}")
        match rng.randrange(8):
            case 0:
                return self.marker(f"mrk_{rng.randbytes(6).hex()}", rng.randrange(2**20), f"by {self.client}")
            case 1:
                return self.field("tracks", track, "gain_db", 10_000)
            case 2:
                return self.put("transport", "bpm", rng.choice((90, 120.5, "fast", -1)))
            case 3:
                return self.field("tracks", track, "mute", rng.random() < 0.5)
            case _:
                return self.field("tracks", track, "gain_db", round(rng.uniform(-60, 6), 2))
