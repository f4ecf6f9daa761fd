"""The shared transports of one process: who is let in, whose command goes where, what other nodes say.

The node that holds a project's lease decides. Commands that arrive elsewhere travel to it over the bus, or by the
database when there is no answer; what it has decided travels back the same two ways.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from collab_server.closing import CloseCode
from collab_server.control.clock import SharedClock
from collab_server.control.figures import Figures
from collab_server.control.hearing import Hearing
from collab_server.control.leases import Leases
from collab_server.control.line import Line
from collab_server.control.messages import Ask, Refused, Unreadable, ask, essence, nack
from collab_server.control.mirror import Mirror
from collab_server.control.stage import Pending, Stage, payload
from collab_server.control.voice import VoiceNews
from collab_server.hub import Hub
from persistence.errors import TRANSIENT, NotFound, PersistenceError
from persistence.transport import Transports
from persistence.voices import Voices
from presence.bus import Bus
from presence.events import (
    TransportAsked,
    TransportTold,
)
from presence.principal import Principal
from studio.roles import Role
from studio.transport import lead_ms
from studio.transport_commands import Moment

PATIENCE_SECONDS: Final = 8.0
"""How long a command may look for whoever leads: a lease of a dead node has to run out."""
PENDING_MAX: Final = 256
PAUSE_SECONDS_MAX: Final = 0.05


class Control:
    """All stages of this process. Everything runs in the event loop and nothing of it blocks."""

    def __init__(self, hub: Hub, transports: Transports, clock: SharedClock, bus: Bus, voices: Voices) -> None:
        self.stages: dict[UUID, Stage] = {}
        self.transports = transports
        self.bus = bus
        self.hub = hub
        self.node_id = hub.node_id
        self.start = hub.start
        self.boot = uuid4().hex[:12]
        self.limits = hub.settings.limits
        self.leases = Leases(transports, hub, hub.node_id, clock.now, self._retime)
        self.now = clock.now
        self.mirror = Mirror(hub.rooms, self.boot, clock.now)
        self.voice = VoiceNews(voices, self.start)
        self._draining = False
        self._lines: set[Line] = set()
        self.figures = Figures(lambda: len(self._lines), self._held)
        hub.metrics.add(self.figures)
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger("control")
        self.hearing = Hearing(self)
        bus.on_gap(self.hearing.missed)

    # ------------------------------------------------------------------ lines

    def line(self, principal: Principal | None, project_id: UUID, refusal: tuple[CloseCode, str] | None) -> Line:
        """A handler for one socket of this person."""
        return Line(uuid4(), self, principal, project_id, refusal)

    def refused(self, reason: str) -> None:
        """Count a refusal."""
        self.hub.metrics.refused(reason)

    def enter(self, line: Line) -> None:
        """Begin to let a line in, or tell one that is in where things are."""
        stage = self.stages.get(line.project_id)
        if self._draining or self.hub.draining:
            line.close(CloseCode.DRAINING, "this server is about to stop")
        elif stage is not None and line in stage.lines:
            stage.introduce(line)
        elif len(self._lines) >= self.limits.connections_max:
            line.close(CloseCode.TRY_AGAIN_LATER, "this server is full")
        elif stage is not None and len(stage.lines) >= self.limits.control_sockets_per_project_max:
            line.close(CloseCode.TRY_AGAIN_LATER, "too many control sockets for this project")
        elif stage is not None and self._has_enough(stage, line.user_id):
            line.close(CloseCode.TRY_AGAIN_LATER, "too many control sockets of one person")
        else:
            self._enter(stage or self._open(line.project_id), line)

    def _has_enough(self, stage: Stage, user_id: UUID) -> bool:
        own = sum(line.user_id == user_id for line in stage.lines)
        return own >= self.limits.control_sockets_per_project_and_person_max

    def left(self, line: Line) -> None:
        """A line ended; its commands have nobody to answer to."""
        self._lines.discard(line)
        stage = self.stages.get(line.project_id)
        if stage is not None:
            stage.lines.discard(line)
            stage.idle_since = time.monotonic()

    def asked(self, line: Line, ask: Ask, message: bytes, read_at: float) -> None:
        """A command of somebody who may: decided at once, or sent to whoever leads."""
        stage, now = self.stages.get(line.project_id), time.monotonic()
        if stage is None:
            line.answer(nack(ask.id, "unavailable"), read_at)
        elif stage.leads(now):
            line.answer(self._decide(stage, ask, str(line.user_id)), read_at)
        elif len(stage.pending) >= PENDING_MAX:
            line.answer(nack(ask.id, "unavailable", stage.state), read_at)
        else:
            waiting = Pending(line, ask, essence(message), read_at, now + PATIENCE_SECONDS, 0.0)
            stage.pending[line.id, ask.id] = waiting
            self.send(stage, waiting, now)

    # ------------------------------------------------------------------ stages

    def _open(self, project_id: UUID) -> Stage:
        stage = self.stages[project_id] = Stage(project_id)
        self.start(self._begin(stage))
        return stage

    async def _begin(self, stage: Stage) -> None:
        await self.bus.subscribe(stage.project_id, lambda event: self.hearing.hear(stage, event))
        self.start(self.voice.look([stage]))
        await self.take_or_ask(stage)

    def _enter(self, stage: Stage, line: Line) -> None:
        stage.lines.add(line)
        self._lines.add(line)
        role = stage.roles.get(line.user_id)
        if role is not None and stage.ready:
            self._admit(stage, line, role)
        else:
            self.start(self._look_up(stage, line))

    async def _look_up(self, stage: Stage, line: Line) -> None:
        try:
            await self.check_memberships(stage)
        except TRANSIENT:
            line.close(CloseCode.TRY_AGAIN_LATER, "the database is away")
            return
        role = stage.roles.get(line.user_id)
        if line not in stage.lines:
            return
        if role is None:
            line.close(CloseCode.NOT_ALLOWED, "not a member")
        elif line.role is None:
            self._admit(stage, line, role)

    def _admit(self, stage: Stage, line: Line, role: Role) -> None:
        line.become(role, stage.options)
        stage.introduce(line)

    async def check_memberships(self, stage: Stage) -> None:
        """Bring every role and the options up to the database. Raises TRANSIENT, and is repeated by the rounds then."""
        question = stage.question()
        if not stage.told(question, await self.hub.keeper.cast(stage.project_id)):
            return
        for line in list(stage.lines):
            if line.role is not None:
                line.restand(stage.roles.get(line.user_id), stage.options)

    def memberships_changed(self, project_id: UUID | None) -> None:
        """The database says that memberships or options of a project have changed; None: of any."""
        for stage in list(self.stages.values()):
            if project_id in (None, stage.project_id):
                self.start(self.check_memberships(stage))

    async def take_or_ask(self, stage: Stage) -> None:
        """Lead, if nobody does; else ask who does. One attempt at a time; the rounds try again."""
        if stage.claiming or stage.closed or stage.conductor is not None or self._draining:
            return
        stage.claiming = True
        try:
            leading = await self.leases.claim(stage)
        except NotFound:
            self.close(stage, CloseCode.NO_SUCH_PROJECT, "no such project")
            return
        except PersistenceError as error:
            self._log.error("transport refused", project=str(stage.project_id), error=str(error))
            self.close(stage, CloseCode.LOAD_FAILED, "the project could not be loaded")
            return
        except TRANSIENT as error:
            self._log.warning("transport not led", error=f"{type(error).__name__}: {error}")
            return
        finally:
            stage.claiming = False
        if self.stages.get(stage.project_id) is not stage:  # given up meanwhile
            await self.leases.give_back(stage)
        elif leading:
            self.tell(stage)
            self.carry_out(stage)
        else:
            self.visit(stage, want=stage.state is None)
            self._resend(stage)

    async def reattend(self, stage: Stage) -> None:
        """The room of a stage that is led here was dropped: it is opened again, or its transport ends with it."""
        if stage.claiming or stage.closed:
            return
        stage.claiming = True
        try:
            await self.leases.reattend(stage)
        except PersistenceError as error:
            self._log.error("transport ends", project=str(stage.project_id), error=str(error))
            self.close(stage, CloseCode.LOAD_FAILED, "the project could not be loaded")
        finally:
            stage.claiming = False

    def close(self, stage: Stage, code: CloseCode, reason: str) -> None:
        """Everybody leaves, and the stage is given up."""
        stage.closed = True
        if self.stages.get(stage.project_id) is stage:
            del self.stages[stage.project_id]
            self.mirror.hide(stage)
            self.start(self.bus.unsubscribe(stage.project_id))
        for line in list(stage.lines):
            line.close(code, reason)
        self.start(self.leases.give_back(stage))

    def visit(self, stage: Stage, *, want: bool) -> None:
        """Tell whoever leads that there are people here; `want`: and that they know of nothing."""
        told = {"here": True, "want": want, "rtt": stage.round_trip()}
        self.bus.publish(TransportAsked(stage.project_id, self.node_id, payload(told)))

    async def drain(self) -> None:
        """Stop: others lead from now on, and everybody is sent to them."""
        self._draining = True
        stages = list(self.stages.values())
        pause = min(PAUSE_SECONDS_MAX, self.hub.settings.drain_spread_seconds / max(1, len(stages)))
        for stage in stages:  # one after the other, so that not everybody comes to the next server at once
            self.close(stage, CloseCode.SERVICE_RESTART, "this server restarts: come back")
            await asyncio.sleep(pause)

    def _held(self) -> int:
        return sum(1 for stage in self.stages.values() if stage.lease_token)

    # ------------------------------------------------------------------ deciding

    def _decide(self, stage: Stage, ask: Ask, by: str) -> dict[str, Any]:
        assert stage.conductor is not None
        before = stage.conductor.state
        answer = stage.conductor.command(ask, Moment(self.now(), lead_ms(stage.round_trip()), by))
        if stage.conductor.state is not before:
            self.tell(stage)
        return answer

    def _retime(self, stage: Stage) -> None:
        """The document's tempo, signatures or settings were edited."""
        stage.edited = False
        document = self.leases.document(stage)
        if document is None or stage.conductor is None:
            return
        if stage.conductor.follow(document, Moment(self.now(), lead_ms(stage.round_trip()), None)):
            self.tell(stage)

    def tell(self, stage: Stage, *, anew: bool = True) -> None:
        """Everybody hears of the state; with `anew` it is new here too, and is kept."""
        assert stage.conductor is not None
        state, tempo = stage.conductor.told()
        told = state.as_json()
        if anew:
            stage.learn(stage.lease_token, state.seq, told, tempo)
            self.mirror.show(stage)
            self.leases.keep(stage)
        self.publish(stage, {"token": stage.lease_token, "state": told, "tempo": tempo})

    def publish(self, stage: Stage, told: Mapping[str, Any]) -> None:
        """Tell the other nodes something of a transport that is led here."""
        self.bus.publish(TransportTold(stage.project_id, self.node_id, payload(told)))

    def carry_out(self, stage: Stage) -> None:
        """This node leads now: what waited for somebody who does is decided, in order."""
        pending, stage.pending = list(stage.pending.values()), {}
        for waiting in pending:
            line = waiting.line
            answer = (
                self._decide(stage, waiting.ask, str(line.user_id)) if line.may_command else line.denial(waiting.ask)
            )
            line.answer(answer, waiting.read_at)

    def send(self, stage: Stage, waiting: Pending, now: float) -> None:
        """Send a command on its way to whoever leads: again by the database, if the bus has brought no answer."""
        if stage.claiming:
            return  # sent or carried out when that is over
        told = {"line": str(waiting.line.id), "user": str(waiting.line.user_id), "command": waiting.told}
        if not self.bus.healthy or waiting.sent_at:
            self.start(self.transports.post(stage.project_id, told))
        if self.bus.healthy:
            self.bus.publish(TransportAsked(stage.project_id, self.node_id, payload(told)))
        waiting.sent_at = now

    def _resend(self, stage: Stage) -> None:
        for waiting in stage.pending.values():
            if not waiting.sent_at:
                self.send(stage, waiting, time.monotonic())

    def forwarded(self, stage: Stage, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """A command from another node, whose people were checked there; its answer, None if this node does not lead."""
        if not stage.leads(time.monotonic()):
            return None
        try:
            return self._decide(stage, ask(told["command"]), str(told["user"]))
        except (KeyError, TypeError, AttributeError, Refused, Unreadable):
            self._log.warning("unreadable command from another node", project=str(stage.project_id))
            return None

    def answered(self, stage: Stage, line_id: str, answer: Mapping[str, Any]) -> None:
        """The answer to a command that was sent away from here."""
        waiting = stage.pending.pop((UUID(line_id), str(answer.get("id"))), None)
        if waiting is not None:
            waiting.line.answer(dict(answer), waiting.read_at)
