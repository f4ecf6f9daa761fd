"""The errand boy who tells the voice provider what the database says: at once, each order once, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID, uuid4

import pytest

from api.voice import Voice
from persistence.pool import Pool, open_pool
from tests.api.people import until
from voice.errors import Unavailable
from voice.events import VoiceEvent
from voice.grants import Grants
from voice.provider import Entrance, Guest, Present
from voice.settings import VoiceSettings

ORDER = "insert into voice_orders (kind, project_id, user_id) values ('remove', $1, $2)"
DUE_IN = "select extract(epoch from min(due_at) - now())::float8 from voice_orders"
COUNT = "select count(*) from voice_orders"


@dataclass
class Provider:
    """A provider that removes people; `away`: it does not answer, `broken`: the errors it raises next."""

    away: asyncio.Event = field(default_factory=asyncio.Event)
    broken: list[Exception] = field(default_factory=list)
    asked: list[UUID] = field(default_factory=list)
    name: str = "test"

    async def remove(self, room: str, user_id: UUID) -> None:
        self.asked.append(user_id)
        if self.broken:
            raise self.broken.pop(0)
        await self.away.wait()

    async def enter(self, room: str, guest: Guest, now: float) -> Entrance:
        raise Unavailable(self.name, room)

    async def present(self, room: str) -> list[Present]:
        return []

    async def set_grants(self, room: str, user_id: UUID, grants: Grants) -> None:
        raise Unavailable(self.name, room)

    async def end(self, room: str) -> None:
        raise Unavailable(self.name, room)

    def read(self, headers: Mapping[str, str], body: bytes, now: float) -> VoiceEvent:
        raise Unavailable(self.name, "")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """The database, without orders."""
    opened = await open_pool(database)
    await opened.execute("delete from voice_orders")
    yield opened
    await opened.close()


async def ended(worker: "asyncio.Task[NoReturn] | asyncio.Task[None]") -> None:
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_an_order_under_way_is_nobody_elses(pool: Pool) -> None:
    """While its call may still be answered no other process takes it."""
    settings, provider = VoiceSettings(timeout_seconds=30), Provider()
    await pool.execute(ORDER, uuid4(), uuid4())
    work = asyncio.create_task(Voice(settings, pool, provider).carry_out())

    async def under_way() -> bool:
        return bool(provider.asked)

    await until(under_way)
    assert await pool.fetchval(DUE_IN) > settings.timeout_seconds
    provider.away.set()
    await work
    assert await pool.fetchval(COUNT) == 0


async def test_what_fails_is_due_again_in_a_moment(pool: Pool) -> None:
    """However long a call may take: an order that failed does not wait for that."""
    provider = Provider(broken=[Unavailable("test", "away")])
    await pool.execute(ORDER, uuid4(), uuid4())
    await Voice(VoiceSettings(timeout_seconds=30), pool, provider).carry_out()
    assert 0 < await pool.fetchval(DUE_IN) <= 3


async def test_orders_do_not_wait_for_each_other(pool: Pool) -> None:
    """While the provider does not answer, all that is due is told at once."""
    people, provider = [uuid4() for _ in range(10)], Provider()
    for person in people:
        await pool.execute(ORDER, uuid4(), person)
    work = asyncio.create_task(Voice(VoiceSettings(), pool, provider).carry_out())

    async def all_asked() -> bool:
        return sorted(provider.asked) == sorted(people)

    await until(all_asked)
    await ended(work)


async def test_a_defect_ends_neither_the_worker_nor_the_order(pool: Pool) -> None:
    """An error that nobody thought of is logged; the next order is carried out, and this one later."""
    provider = Provider(broken=[RuntimeError("nobody thought of this")])
    provider.away.set()
    voice = Voice(VoiceSettings(), pool, provider)
    worker = asyncio.create_task(voice.work())
    for count in (1, 2):
        await pool.execute(ORDER, uuid4(), uuid4())
        voice.wake()

        async def asked(count: int = count) -> bool:
            return len(provider.asked) >= count

        await until(asked)
    assert not worker.done()

    async def nothing_left() -> bool:
        return bool(await pool.fetchval(COUNT) == 0)

    await until(nothing_left)
    await ended(worker)
