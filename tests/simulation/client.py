"""A simulated browser tab: a document, its presence, and one connection at a time that speaks as our web client does.

It keeps its document while it is away, comes back to any node, and takes an update for saved when it hears its own
bytes. Refused or removed for good, it is told; what it had not saved then becomes a draft, and it begins anew.
"""

import json
import random
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from picows import WSMsgType
from pycrdt import Map

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.gate.awareness import decode
from collab_server.gate.limits import TRUSTED
from collab_server.gate.update import inspect
from collab_server.wire import Kind
from studio.roles import Action, Role, may
from tests.collab_server.author import Author
from tests.simulation.crowd import GENEROUS, Crowd
from tests.simulation.frames import read
from tests.simulation.musician import change, tracks_of
from tests.simulation.network import Line
from tests.simulation.sent import Sent

WATCHDOG_SECONDS = 30.0
RENEW_SECONDS = 15.0
FINAL = range(4400, 4500)
TICKET_CODES = (4401, 4408)


class Surroundings(Protocol):
    """What a tab finds in the world."""

    def now(self) -> float: ...

    def later(self, seconds: float, callback: Callable[[], object]) -> None: ...

    def role(self, project: UUID, user: UUID) -> Role | None:
        """What the HTTP app answers who asks for a ticket."""

    def dial(self, tab: "Tab") -> None:
        """Begin a connection to some node: `opened` or `refused` follows."""

    def saved(self, tab: "Tab", update: bytes) -> None:
        """The tab holds this to be saved."""

    def received(self, tab: "Tab") -> None:
        """Something of the document was told to the tab."""

    def told(self, tab: "Tab", code: int, reason: str) -> None:
        """The tab was sent away for good."""

    def void(self, tab: "Tab", reason: str) -> None:
        """The tab was told that what it holds is not the project's; it begins anew."""

    def trace(self, who: str, what: str) -> None: ...

    def fresh_client(self) -> int: ...


class Tab:
    """One person's window."""

    def __init__(self, world: Surroundings, name: str, project: UUID, user: UUID, seed: str) -> None:
        self.world = world
        self.name = name
        self.project = project
        self.user = user
        self.rng = random.Random(f"{seed}/{name}")
        self.wanted = False
        """Whether it tries to be connected."""
        self.over = False
        """It was told to stay away."""
        self.home = False
        """It will not come back."""
        self.line: Line | None = None
        self.role: Role = Role.VIEWER
        self.drafts = 0
        self.attempts = 0
        self._dialing = False
        self._begin()

    def _begin(self) -> None:
        self.client = self.world.fresh_client()
        self.author = Author(self.client)
        self.crowd = Crowd(self.client)
        self.shown = 0
        self.synced = False
        self.sent = Sent()
        self._early: list[bytes] = []
        self._heard_at = 0.0
        self._offered = False
        """Deletions were sent on this connection that may be news."""

    # ------------------------------------------------------------------ what a person does

    def come(self) -> None:
        """Open the project."""
        if not self.home:
            self.wanted = True
            self.attempt()

    def go(self) -> None:
        """Close the connection as a client does; the document stays."""
        self.wanted = False
        line = self.line
        if line is not None:
            if not line.silent:
                self._send(wire.encode_awareness(self.crowd.show(None, self.world.now())))
            self._lose()
            line.hang_up()

    def drop(self) -> None:
        """The connection is lost, as when a cable is pulled, and tried again."""
        line = self.line
        if line is not None:
            self._lose()
            line.hang_up()
            self._again()

    def close_for_good(self) -> None:
        """The tab is closed, and what it had not saved is gone; a new one is a new document."""
        self.go()
        self._draft("closed")

    def edit(self) -> None:
        """One edit, told if there is a connection."""
        if self.over or not may(self.role, Action.WRITE) or "schema" not in self.author.doc.get("meta", type=Map):
            return
        update = change(self.author, self.rng)
        if update:
            self._tell(update)

    def _tell(self, update: bytes) -> None:
        self.world.trace(self.name, f"edits {update.hex()}{'' if self.line else ', offline'}")
        if self.line is not None:
            self.sent.unsaved.append(update)
            self._send(wire.encode_update(update))
        else:
            self.sent.unsent = True

    def drag(self, count: int) -> None:
        """A fader is moved: the same value again and again."""
        tracks = tracks_of(self.author)
        if not self.over and tracks and may(self.role, Action.WRITE):
            for _ in range(count):
                self._tell(self.author.field("tracks", tracks[0], "gain_db", round(self.rng.uniform(-60, 6), 1)))

    def show(self) -> None:
        """Move the cursor."""
        if self.line is not None:
            self.shown += 1
            state = json.dumps({"cursor": self.shown})
            self._send(wire.encode_awareness(self.crowd.show(state, self.world.now())))

    # ------------------------------------------------------------------ the connection

    def attempt(self) -> None:
        """Ask for a ticket and dial."""
        if not self.wanted or self.over or self.line is not None or self._dialing:
            return
        role = self.world.role(self.project, self.user)
        if role is None:
            self._end(4403, "no ticket")
            return
        self._become(role)
        self._dialing = True
        self.world.dial(self)

    def opened(self, line: Line) -> None:
        """The websocket is open."""
        self._dialing = False
        if not self.wanted:
            line.hang_up()
            return
        self.line = line
        self.synced = False
        self.sent.connected()
        self._early.clear()
        self._offered = False
        self._heard_at = self.world.now()
        self.world.trace(self.name, f"connected to {line.node.name}")
        self._send(wire.encode_step1(self.author.doc.get_state()))
        self.show()
        self._watch(line)
        self._renew(line)

    def refused(self) -> None:
        """Nobody answers there."""
        self._dialing = False
        self._again()

    def heard(self, line: Line, data: bytes) -> None:
        """network.Listener: the server has written frames."""
        if line is not self.line:
            return
        self._heard_at = self.world.now()
        for number, payload in read(data):
            opcode = WSMsgType(number)
            if line is not self.line:
                return
            if opcode == WSMsgType.CLOSE:
                self._closed(line, int.from_bytes(payload[:2], "big"), payload[2:].decode())
                return
            if opcode == WSMsgType.PING:
                line.send(payload, WSMsgType.PONG)
            elif opcode == WSMsgType.BINARY:
                kind, content, _ = wire.read_message(payload)
                self._said(kind, content)

    def lost(self, line: Line) -> None:
        """network.Listener: the connection is gone."""
        if line is self.line:
            self.world.trace(self.name, "connection lost")
            self._lose()
            self._again()

    def _closed(self, line: Line, code: int, reason: str) -> None:
        self.world.trace(self.name, f"closed {code} {reason}")
        line.send(b"", WSMsgType.CLOSE)
        self._lose()
        if code == CloseCode.EPOCH_CHANGED:
            self.world.void(self, reason)
            self._draft(reason)
            self._again()
        elif code in FINAL and code not in TICKET_CODES:
            self._end(code, reason)
        else:
            self._again()

    def _end(self, code: int, reason: str) -> None:
        self.over = True
        self._draft(f"{code} {reason}")
        self.world.told(self, code, reason)

    def _lose(self) -> None:
        self.line = None
        self.sent.lost()
        self.crowd.alone()

    def _again(self) -> None:
        if self.wanted and not self.over:
            self.attempts += 1
            wait = min(5.0, 0.1 * 2 ** min(self.attempts, 6)) * self.rng.uniform(0.5, 1.0)
            self.world.later(wait, self.attempt)

    def _watch(self, line: Line) -> None:
        """y-websocket's watchdog."""
        if line is not self.line:
            return
        self.crowd.expire(self.world.now())
        if self.world.now() - self._heard_at > WATCHDOG_SECONDS:
            self.world.trace(self.name, "hears nothing")
            self.drop()
        else:
            self.world.later(3.0, lambda: self._watch(line))

    def _renew(self, line: Line) -> None:
        if line is self.line:
            self.world.later(RENEW_SECONDS, lambda: self._renew(line))
            self._send(wire.encode_awareness(self.crowd.show(self.crowd.states[self.client], self.world.now())))

    def _send(self, message: bytes) -> None:
        if self.line is not None:
            self.line.send(message)

    # ------------------------------------------------------------------ what it is told

    def _said(self, kind: Kind, payload: bytes) -> None:
        match kind:
            case Kind.STEP1:
                self.sent.asked()
                self._answer(payload)
            case Kind.STEP2:
                self.world.received(self)
                self.synced = True
                self.attempts = 0
                self._apply(payload)
            case Kind.UPDATE if payload in self.sent.unsaved:
                self._acknowledged(self.sent.unsaved.index(payload))
            case Kind.UPDATE:
                self.world.received(self)
                self.sent.repeated(payload)
                self._apply(payload)
            case Kind.AWARENESS:
                self._saw(payload)
            case Kind.AUTH:
                self.sent.denied()
                self.world.trace(self.name, f"denied: {payload.decode()}")
                if self.sent.waits or self._offered:
                    self._reopen(payload.decode())
            case _:
                pass

    def _acknowledged(self, at: int) -> None:
        self.world.trace(self.name, f"has {at + 1} saved, {len(self.sent.unsaved) - at - 1} to go")
        for update in self.sent.acknowledged(at):
            self.world.saved(self, update)

    def _answer(self, vector: bytes) -> None:
        missing = self.author.doc.get_update(vector)
        if not may(self.role, Action.WRITE):
            self._offer(missing)
            return
        self.sent.answered(missing)
        self.world.trace(self.name, f"answers {missing.hex()}")
        self._send(wire.encode_step2(missing))

    def _offer(self, missing: bytes) -> None:
        """A reader gives nothing but deletions: nothing else tells the server that one was told and lost."""
        seen = inspect(missing, TRUSTED)
        if seen.deletes and not seen.ranges:
            self._offered = True
            self._send(wire.encode_step2(missing))

    def _apply(self, update: bytes) -> None:
        """Updates before the first Step2 may lean on what is not here yet; yrs, unlike Yjs, never quite forgets it."""
        self._early.append(update)
        if self.synced:
            early, self._early = self._early, []
            for one in early[-1:] + early[:-1]:
                self.author.doc.apply_update(one)
            self.author.made.clear()

    def _saw(self, payload: bytes) -> None:
        if self.crowd.hear(payload, self.world.now()):
            self._renew_now()
        for client, _, state in decode(payload, GENEROUS):
            if client == self.client and state is not None:
                self._become(Role(json.loads(state)["user"]["role"]))

    def _renew_now(self) -> None:
        self._send(wire.encode_awareness(self.crowd.show(self.crowd.states[self.client], self.world.now())))

    def _become(self, role: Role) -> None:
        if role is not self.role:
            self.world.trace(self.name, f"is {role.value}")
        self.role = role
        if not may(role, Action.WRITE) and self.sent.waits:
            self._reopen(f"is a {role} now")

    def _reopen(self, why: str) -> None:
        """What was not saved becomes a draft on the device; the project is opened anew."""
        line = self.line
        self._draft(why)
        if line is not None:
            line.hang_up()
            self._again()

    def _draft(self, why: str) -> None:
        self.world.trace(self.name, f"begins anew: {why}")
        self.drafts += self.sent.waits
        self._lose()
        self._begin()
