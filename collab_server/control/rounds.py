"""What is looked after once a second, and more often while the bus is away: leases, other nodes' states, lost commands.

All stages of a node are one statement each time, not one each.
"""

import asyncio
import time
from typing import Final

import structlog

from collab_server.closing import CloseCode
from collab_server.control.control import Control
from collab_server.control.messages import nack
from collab_server.control.mirror import REFRESH_SECONDS
from collab_server.control.stage import GUEST_SECONDS, Stage
from collab_server.setbacks import SETBACKS

ROUND_SECONDS: Final = 1.0
BUSLESS_SECONDS: Final = 0.25
RENEW_BEFORE_SECONDS: Final = 2.5
"""What stands still is renewed when its lease has so little left; what plays, every round, for its position."""
VISIT_SECONDS: Final = 2.0
RESEND_SECONDS: Final = 1.0
VOICE_SECONDS: Final = 10.0
"""Who is in voice is read so often, in case nobody told; while the bus is away, at every round."""
IDLE_SECONDS: Final = 5.0
"""Nobody has been here for so long: the transport stops."""
SILENT_MS: Final = 60_000.0


class Rounds:
    """Runs until it is cancelled."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._visited_at = 0.0
        self._mirrored_at = 0.0
        self._listened_at = 0.0
        self._log = structlog.get_logger("control")

    async def run(self) -> None:
        """Walk for ever; a round that finds the database away is walked again."""
        while True:
            await asyncio.sleep(ROUND_SECONDS if self._control.bus.healthy else BUSLESS_SECONDS)
            try:
                await self._walk()
            except SETBACKS as error:
                self._log.warning("round not finished", error=f"{type(error).__name__}: {error}")

    async def _walk(self) -> None:
        stages = list(self._control.stages.values())
        now = time.monotonic()
        self._settle_lines(stages)
        self._give_up_waiting(stages, now)
        await self._renew([stage for stage in stages if stage.lease_token], now)
        await self._look_at_others([stage for stage in stages if not stage.lease_token])
        await self._by_database(stages)
        self._visit(stages, now)
        self._mirror(stages, now)
        await self._listen(stages, now)
        await self._let_go(stages, now)

    async def _renew(self, held: list[Stage], now: float) -> None:
        due = [stage for stage in held if stage.plays or stage.lease_until - now < RENEW_BEFORE_SECONDS]
        if due:
            await self._control.leases.renew(due)
        for stage in held:
            if stage.dirty and not stage.saving and stage.conductor is not None:
                self._control.leases.keep(stage)
            if stage.hosted is not None and stage.hosted.closed:
                self._control.start(self._control.reattend(stage))
            if stage.pending and stage.leads(time.monotonic()):  # the database was away, and nobody else could lead
                self._control.carry_out(stage)

    async def _look_at_others(self, others: list[Stage]) -> None:
        """Who leads elsewhere may have died, or may have told what nobody here has heard."""
        if not others:
            return
        known = {stage.project_id: (stage.token, stage.seq) for stage in others}
        standing = await self._control.transports.peek(known)
        for stage in others:
            found = standing.get(stage.project_id)
            if found is not None:
                self._control.hearing.stands(stage, found)
            if found is None or found.free:
                self._control.start(self._control.take_or_ask(stage))

    async def _by_database(self, stages: list[Stage]) -> None:
        """Commands and answers that took the way through the database; roles and options while nobody tells of them."""
        control = self._control
        led = {stage.project_id: stage for stage in stages if stage.leads(time.monotonic())}
        for posted in await control.transports.waiting(list(led)) if led else ():
            answer = control.forwarded(led[posted.project_id], posted.command)
            if answer is not None:
                await control.transports.answer(posted.id, answer)
        if any(stage.pending for stage in stages):
            await self._collect()
        for stage in stages:
            if not control.bus.healthy or stage.answered < stage.asked:
                await control.check_memberships(stage)

    async def _collect(self) -> None:
        for project_id, command, answer in await self._control.transports.answers():
            stage = self._control.stages.get(project_id)
            if stage is not None and answer is not None:
                self._control.answered(stage, str(command["line"]), answer)

    def _settle_lines(self, stages: list[Stage]) -> None:
        """Hang up on who has been silent: a client asks for the time every few seconds."""
        now = self._control.now()
        for stage in stages:
            for line in list(stage.lines):
                if now - line.heard_at > SILENT_MS:
                    line.close(CloseCode.TRY_AGAIN_LATER, "silent for too long")

    def _give_up_waiting(self, stages: list[Stage], now: float) -> None:
        for stage in stages:
            for key, waiting in list(stage.pending.items()):
                if now > waiting.until:
                    del stage.pending[key]
                    waiting.line.answer(nack(waiting.ask.id, "unavailable", stage.state), waiting.read_at)
                elif now - waiting.sent_at > RESEND_SECONDS:
                    self._control.send(stage, waiting, now)

    def _visit(self, stages: list[Stage], now: float) -> None:
        if now - self._visited_at < VISIT_SECONDS:
            return
        self._visited_at = now
        for stage in stages:
            if stage.lines and not stage.lease_token:
                self._control.visit(stage, want=False)
            for node, guest in list(stage.guests.items()):
                if now - guest.heard_at > GUEST_SECONDS:
                    del stage.guests[node]

    def _mirror(self, stages: list[Stage], now: float) -> None:
        """What is shown as presence is repeated, as people's is."""
        if now - self._mirrored_at >= REFRESH_SECONDS:
            self._mirrored_at = now
            for stage in stages:
                self._control.mirror.show(stage)

    async def _listen(self, stages: list[Stage], now: float) -> None:
        if not self._control.bus.healthy or now - self._listened_at >= VOICE_SECONDS:
            self._listened_at = now
            await self._control.voice.look(stages)

    async def _let_go(self, stages: list[Stage], now: float) -> None:
        """Where nobody is any more, here or elsewhere, nothing plays. Without a bus nobody knows of elsewhere."""
        if not self._control.bus.healthy:
            return
        for stage in stages:
            if not stage.lines and not stage.guests and now - stage.idle_since > IDLE_SECONDS:
                self._control.close(stage, CloseCode.NORMAL, "")
