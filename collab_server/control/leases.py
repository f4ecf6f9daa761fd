"""Who leads: taking the lease of a stage, keeping what is decided, and giving it back.

While this node leads it holds the project's room open, for the tempo map, and hears of every edit of it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from collab_server.control.conductor import MUSICAL_ROOTS, Conductor
from collab_server.control.stage import Stage
from collab_server.hosted import Hosted
from collab_server.setbacks import SETBACKS
from persistence.errors import TRANSIENT
from persistence.transport import LEASE, Held, Transports
from studio.canonical import canonical

MARGIN_SECONDS: Final = 1.0
"""So much earlier than the database's clock we hold our lease to be over."""


class Rooms(Protocol):
    """What leading needs of the hub."""

    async def open(self, project_id: UUID) -> Hosted:
        """The room; the caller is a visitor until it is released."""

    def release(self, hosted: Hosted) -> None:
        """A visitor who came by `open` needs the room no more."""

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something beside everything else."""


class Leases:
    """Takes, keeps and gives back the leases of this node."""

    def __init__(
        self,
        transports: Transports,
        rooms: Rooms,
        node_id: UUID,
        now: Callable[[], float],
        edited: Callable[[Stage], None],
    ) -> None:
        """`now`: the shared clock in ms; `edited(stage)`: something musical has changed in its document."""
        self._transports = transports
        self._rooms = rooms
        self._node_id = node_id
        self._now = now
        self._edited = edited
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger("transport")

    async def claim(self, stage: Stage) -> bool:
        """Take the lease if it is to be had; True if this node leads from now on.

        Raises TRANSIENT, and PersistenceError when the room cannot be opened.
        """
        asked_at = time.monotonic()
        reign = await self._transports.acquire(stage.project_id)
        if reign is None:
            return False
        stage.lease_token, stage.kept_position = reign.token, reign.position
        self._extend(stage, asked_at)
        try:
            document = await self._attend(stage)
        except SETBACKS:
            await self.give_back(stage)
            raise
        if stage.lease_token != reign.token:
            self._leave_room(stage)
            return False  # it took too long
        epoch = f"{reign.token:x}-{secrets.token_hex(2)}"
        stage.conductor = Conductor(epoch, stage.kept_position, document, self._now())
        stage.holder = self._node_id
        self._log.info("leads", project=str(stage.project_id), token=reign.token)
        return True

    def document(self, stage: Stage) -> dict[str, Any] | None:
        """What of the document the transport depends on; None while its room is being loaded anew."""
        if stage.hosted is None or stage.hosted.closed:
            return None
        return canonical(stage.hosted.room.doc, MUSICAL_ROOTS)

    def keep(self, stage: Stage) -> None:
        """Write the newest state down, one write at a time."""
        stage.dirty = True
        if not stage.saving:
            stage.saving = True
            self._rooms.start(self._keep(stage))

    async def renew(self, stages: list[Stage]) -> None:
        """Keep these leases, and the positions of what plays. Raises TRANSIENT."""
        asked_at = time.monotonic()
        held = {stage: stage.lease_token for stage in stages}
        ours = await self._transports.renew([self._held(stage) for stage in stages])
        for stage, token in held.items():
            if stage.lease_token != token:
                continue
            if stage.project_id in ours:
                self._extend(stage, asked_at)
            else:
                self.step_down(stage)

    async def reattend(self, stage: Stage) -> None:
        """The room was dropped and is loaded anew. Raises as `claim` does."""
        self._leave_room(stage)
        await self._attend(stage)
        if stage.lease_token:
            self._edited(stage)
        else:
            self._leave_room(stage)  # the lease was lost meanwhile

    def step_down(self, stage: Stage) -> None:
        """The lease is lost: somebody else decides from now on."""
        if stage.lease_token:
            self._log.info("no longer leads", project=str(stage.project_id), token=stage.lease_token)
        stage.conductor = None
        stage.lease_token, stage.lease_until, stage.holder = 0, 0.0, None
        self._leave_room(stage)

    async def give_back(self, stage: Stage) -> None:
        """Let others have the lease at once; what plays has stopped where it is. Raises TRANSIENT."""
        if not stage.lease_token:
            return
        held = self._held(stage)
        self.step_down(stage)
        await self._transports.release(held)

    # ------------------------------------------------------------------ inside

    def _extend(self, stage: Stage, asked_at: float) -> None:
        stage.lease_until = asked_at + LEASE.total_seconds() - MARGIN_SECONDS

    def _held(self, stage: Stage) -> Held:
        if stage.conductor is not None:
            stage.kept_position = max(0.0, stage.conductor.position(self._now()))
        return Held(stage.project_id, stage.lease_token, stage.kept_position)

    async def _attend(self, stage: Stage) -> dict[str, Any]:
        stage.hosted = hosted = await self._rooms.open(stage.project_id)
        stage.unfollow = hosted.room.document.follow(MUSICAL_ROOTS, lambda: self._noticed(stage))
        return canonical(hosted.room.doc, MUSICAL_ROOTS)

    def _noticed(self, stage: Stage) -> None:
        """In the midst of a tick: only take note."""
        if not stage.edited:
            stage.edited = True
            self._loop.call_soon(self._edited, stage)

    def _leave_room(self, stage: Stage) -> None:
        if stage.unfollow is not None:
            stage.unfollow()
            stage.unfollow = None
        hosted, stage.hosted = stage.hosted, None
        if hosted is not None:
            self._rooms.release(hosted)

    async def _keep(self, stage: Stage) -> None:
        try:
            while stage.dirty and stage.conductor is not None:
                stage.dirty = False
                await self._write(stage, stage.conductor)
        except TRANSIENT as error:
            stage.dirty = True  # the next round tries again
            self._log.warning("state not kept", project=str(stage.project_id), error=f"{type(error).__name__}: {error}")
        finally:
            stage.saving = False

    async def _write(self, stage: Stage, conductor: Conductor) -> None:
        asked_at = time.monotonic()
        state, tempo = conductor.told()
        held = self._held(stage)
        if await self._transports.save(held, state.epoch, state.seq, state.as_json(), tempo):
            self._extend(stage, asked_at)
        elif stage.lease_token == held.token:
            self.step_down(stage)
