"""Voice as the app has it: the provider if there is one, and the errand boy who tells it what the database says.

A membership's end, a changed role and a deleted project leave an order in the same transaction (see the migration
`voice`). Orders are carried out at once by the process that caused them, and by any process if that one failed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from api.errors import ApiError
from persistence.errors import TRANSIENT
from persistence.pool import Database, Pool
from presence.events import AccessRevoked, Event, ProjectDeleted, RoleChanged
from studio.roles import Role
from voice.errors import NotThere, VoiceError
from voice.grants import Grants, grants
from voice.opening import open_provider
from voice.provider import VoiceProvider
from voice.rooms import room_of
from voice.settings import VoiceSettings

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5
"""How often a process looks for orders that others left behind."""
RETRY_SECONDS: Final = 3
CALLS_MAX: Final = 2
"""What one order may ask of the provider, one call after the other (Daily's grants: who is there, then the change)."""
KEPT_HOURS: Final = 24
"""An order nobody could carry out for so long is forgotten: tokens and rooms are long over."""

PASSING: Final[tuple[type[Exception], ...]] = (*TRANSIENT, asyncpg.PostgresError)
UNTOLD: Final[tuple[type[Exception], ...]] = (*PASSING, VoiceError)

CLAIM_ORDERS: Final = """
update voice_orders set due_at = now() + make_interval(secs => $1)
 where id in (select id from voice_orders where due_at <= now() order by due_at, id limit 20 for update skip locked)
returning id, kind, project_id, user_id, created_at < now() - make_interval(hours => $2) as stale
"""
DEFER_ORDER: Final = "update voice_orders set due_at = now() + make_interval(secs => $2) where id = $1"
DELETE_ORDER: Final = "delete from voice_orders where id = $1"
SELECT_PLACE: Final = """
select m.role, p.viewers_listen, coalesce(v.muted, false) as muted,
       coalesce(v.removed_until > now(), false) as removed,
       ceil(extract(epoch from v.removed_until - now()))::integer as removed_seconds
  from projects p
  left join project_members m on m.project_id = p.id and m.user_id = $2
  left join voice_members v on v.project_id = p.id and v.user_id = $2
 where p.id = $1 and p.deleted_at is null
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody is in a project's voice room."""

    role: Role | None
    grants: Grants
    muted: bool
    removed_seconds: int
    """How long the owner's removal still keeps them out; 0 if it does not."""


NOWHERE: Final = Place(None, Grants(), False, 0)


async def place_of(database: Database, project_id: UUID, user_id: UUID) -> Place:
    """Read now: by a stranger's id it is nowhere."""
    row = await database.fetchrow(SELECT_PLACE, project_id, user_id)
    if row is None:
        return NOWHERE
    role = Role(row["role"]) if row["role"] else None
    seconds = max(1, row["removed_seconds"]) if row["removed"] else 0
    return Place(role, grants(role, row["viewers_listen"], row["muted"]), row["muted"], seconds)


@dataclass(slots=True)
class Voice:
    """What handlers use. Without a provider there is no voice, and nobody pretends there were."""

    settings: VoiceSettings
    pool: Pool
    open: VoiceProvider | None
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def provider(self) -> VoiceProvider:
        """Raises voice_unconfigured."""
        if self.open is None:
            raise ApiError("voice_unconfigured")
        return self.open

    def heard(self, event: Event) -> None:
        """Something was committed: if it can have left an order, it is carried out now."""
        if isinstance(event, AccessRevoked | RoleChanged | ProjectDeleted):
            self.wake()

    def wake(self) -> None:
        """There are orders."""
        self._wanted.set()

    async def work(self) -> None:
        """Carries out orders, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.carry_out()
            except PASSING as error:
                log.warning("voice orders wait: %s", error or type(error).__name__)
            except Exception:  # whatever it was: the next removal must not find nobody at work
                log.exception("voice orders wait")

    async def carry_out(self) -> None:
        """Tells the provider whatever is due. What fails is due again in a moment.

        The orders of a batch are told at once: while the provider is away, each of them waits for the whole time-out.
        """
        while orders := await self.pool.fetch(CLAIM_ORDERS, self._claim_seconds(), KEPT_HOURS):
            await asyncio.gather(*(self._carry_out(order) for order in orders))

    def _claim_seconds(self) -> float:
        """For how long an order is ours: no other process takes it while its calls may still be under way."""
        return CALLS_MAX * self.settings.timeout_seconds + RETRY_SECONDS

    async def _carry_out(self, order: asyncpg.Record) -> None:
        """One order, which hinders no other: whatever goes wrong with it is logged, and it is due again."""
        told = await self._told(order)
        try:
            if told or order["stale"]:
                await self.pool.execute(DELETE_ORDER, order["id"])
            else:
                await self.pool.execute(DEFER_ORDER, order["id"], RETRY_SECONDS)
        except PASSING as error:
            log.warning("a voice order waits: %s", error or type(error).__name__)

    async def _told(self, order: asyncpg.Record) -> bool:
        """False if the provider could not be told."""
        try:
            await self._tell(order["kind"], order["project_id"], order["user_id"])
        except UNTOLD as error:
            log.warning("the voice provider was not told: %s", error, extra={"order": order["kind"]})
            return False
        except Exception:
            log.exception("the voice provider was not told", extra={"order": order["kind"]})
            return False
        return True

    async def _tell(self, kind: str, project_id: UUID, user_id: UUID | None) -> None:
        room = room_of(project_id)
        with suppress(NotThere):
            if user_id is None:
                await self.provider.end(room)
            elif kind == "remove":
                await self.provider.remove(room, user_id)
            else:
                place = await place_of(self.pool, project_id, user_id)
                await self.provider.set_grants(room, user_id, place.grants)


@asynccontextmanager
async def open_voice(settings: VoiceSettings, pool: Pool) -> AsyncIterator[Voice]:
    """Voice with its worker, which ends with the context."""
    async with open_provider(settings) as provider:
        voice = Voice(settings, pool, provider)
        if provider is None:
            yield voice
            return
        worker = asyncio.create_task(voice.work())
        try:
            yield voice
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker


def now() -> float:
    """Seconds since 1970."""
    return time.time()
