"""The conversation about one document: what is said to the server, and what is heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from backline.document import Document
from backline.errors import BacklineError, EpochChanged, NotAllowed, Refused
from backline.frames import EMPTY, Denied, Message, Presence, Query, Step1, Step2, Update, decode, encode
from backline.ledger import Ledger
from backline.presence import People
from backline.reconnect import Line, speaking
from backline.tickets import Pass, Tickets

RENEW_SECONDS: Final = 15.0
"""Others forget a presence that was not renewed for 30 s."""
PRESENCE_SECONDS: Final = 0.05
WRITERS: Final = frozenset({"owner", "editor"})


class Session:
    """`run()` lives as long as the project is open. `synced` is set while everything the server had is here."""

    def __init__(self, document: Document, people: People, ledger: Ledger, tickets: Tickets) -> None:
        self.role = ""
        self.synced = asyncio.Event()
        self.ended = asyncio.Event()
        self._document, self._people, self._ledger = document, people, ledger
        self._line = Line(tickets, "connection")
        self._outgoing: asyncio.Queue[bytes] | None = None
        self._early: list[bytes] = []
        self._answered = False
        self._epoch: int | None = None
        self._presence_due: asyncio.TimerHandle | None = None

    @property
    def writes(self) -> bool:
        """Whether our role may edit."""
        return self.role in WRITERS

    @property
    def last_trouble(self) -> str:
        """Why there is no connection, in words."""
        return self._line.last_trouble

    async def run(self) -> None:
        """Connect, talk, come back. Returns when the server refuses us for good: the ledger then knows why."""
        try:
            self._ledger.fail(await self._line.run(self))
        finally:
            self.ended.set()

    def edited(self, update: bytes, places: tuple[str, ...]) -> None:
        """An own edit: told at once while the server has been answered, else with the answer."""
        self._ledger.edited(update, places)
        if self._outgoing is not None and self._answered:
            self._say(Update(update))

    def show(self) -> None:
        """Our presence changed: it is told at most 20 times a second."""
        if self._outgoing is not None and self._presence_due is None:
            loop = asyncio.get_running_loop()
            self._presence_due = loop.call_later(PRESENCE_SECONDS, self._tell_presence)

    # ------------------------------------------------------------------ one connection

    def address(self, allowed: Pass) -> str | Refused:
        """Where the document is; EpochChanged if it is no more the one we have."""
        if self._epoch is not None and allowed.epoch != self._epoch:
            return EpochChanged("the project was rebuilt", 4409)
        self._epoch, self.role, self._document.user = allowed.epoch, allowed.role, allowed.user
        return allowed.address

    async def converse(self, socket: ClientConnection) -> Refused | None:
        """Say and hear until the socket is closed; or return why nothing will be saved any more."""
        async with self._speaking(socket):
            with suppress(ConnectionClosed):
                async for frame in socket:
                    for message in decode(frame) if isinstance(frame, bytes) else ():
                        self._heard(message)
                    if self._ledger.failure is not None:
                        return _refused(self._ledger.failure)
        return None

    @asynccontextmanager
    async def _speaking(self, socket: ClientConnection) -> AsyncIterator[None]:
        outgoing = self._outgoing = asyncio.Queue()
        self._say(Step1(self._document.vector()))
        self._tell_presence()
        try:
            async with speaking(socket, outgoing, self._renew()):
                yield
        finally:
            self._parted()
            with suppress(ConnectionClosed, TimeoutError):
                await asyncio.wait_for(socket.send(encode(Presence((self._people.farewell(),)))), 1)
            await socket.close()

    def _parted(self) -> None:
        if self._presence_due is not None:
            self._presence_due.cancel()
            self._presence_due = None
        self._outgoing, self._answered = None, False
        self._early.clear()
        self.synced.clear()
        self._ledger.disconnected()
        self._people.disconnected()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            self._tell_presence()

    # ------------------------------------------------------------------ what is said and heard

    def _say(self, message: Step1 | Step2 | Update | Presence) -> None:
        if self._outgoing is None:
            return
        if isinstance(message, Step2 | Update) and message.update != EMPTY:
            self._ledger.sent(message.update)
        self._outgoing.put_nowait(encode(message))

    def _tell_presence(self) -> None:
        self._presence_due = None
        self._say(Presence((self._people.mine(),)))

    def _heard(self, message: Message) -> None:
        match message:
            case Step1(vector):
                self._answer(vector)
            case Step2(update):
                self._arrived(update)
            case Update(update):
                self._update(update)
            case Presence(entries):
                gone = self._people.heard(entries)
                self.role = me.role if (me := self._people.me) is not None and me.role else self.role
                if gone:
                    self._tell_presence()
            case Denied(reason):
                if self._ledger.unsaved:
                    self._ledger.fail(NotAllowed(reason, 4403))
            case Query():
                self._tell_presence()

    def _answer(self, vector: bytes) -> None:
        """The server says what it has. A reader has nothing to give; what is unsaved is said again in any case.

        The server may have what it has not committed yet. So the newest unsaved edit is repeated if nothing is
        lacking: its echo comes after the commit of all before it.
        """
        self._answered = True
        unsaved = self._ledger.unsaved
        if not self.writes and not unsaved:
            self._say(Step2(EMPTY))
            return
        lacking = self._document.since(vector)
        self._say(Step2(lacking))
        if lacking == EMPTY and unsaved:
            self._say(Update(unsaved[-1].update))

    def _arrived(self, update: bytes) -> None:
        self._document.merge(update)
        for waiting in self._early:
            self._document.merge(waiting)
        self._early.clear()
        self._line.good()
        self.synced.set()

    def _update(self, update: bytes) -> None:
        """An echo, or somebody's edit; before the first Step2 it may lean on what is not here yet, and waits."""
        if self._ledger.echoed(update):
            return
        if self.synced.is_set():
            self._document.merge(update)
        else:
            self._early.append(update)


def _refused(error: BacklineError) -> Refused:
    return error if isinstance(error, Refused) else Refused(str(error))
