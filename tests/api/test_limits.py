"""The limit on new guest accounts."""

from uuid import uuid4

import pytest
from redis.asyncio import Redis

from api.errors import ApiError
from api.limits import ADDRESSES_MAX, AccountLimit, GuestLimit, MemoryCounter, RedisCounter, network


async def count_five(limit: GuestLimit, address: str, now: float) -> list[int]:
    return [await limit.wait_seconds(address, now) for _ in range(5)]


async def test_the_window_opens_again() -> None:
    """Three an hour: the fourth waits until the hour is over, another address does not."""
    limit = GuestLimit(MemoryCounter(), 3)
    assert await count_five(limit, "a", 3600.0) == [0, 0, 0, 3600, 3600]
    assert await limit.wait_seconds("a", 7199.5) == 1
    assert await limit.wait_seconds("b", 3600.0) == 0
    assert await limit.wait_seconds("a", 7200.0) == 0


async def test_memory_is_bounded() -> None:
    """A million addresses do not take a million entries."""
    counter = MemoryCounter()
    for number in range(ADDRESSES_MAX + 50):
        await counter.count(str(number), 0)
    assert len(counter.counts) == ADDRESSES_MAX


async def test_processes_count_together(redis_url: str) -> None:
    """Two processes share one count, and its key ends by itself."""
    async with Redis.from_url(redis_url) as redis:
        one, two = (GuestLimit(RedisCounter(redis), 3) for _ in range(2))
        waits = [await limit.wait_seconds("198.51.100.7", 3600.0) for limit in (one, two, one, two)]
        assert waits == [0, 0, 0, 3600]
        (key,) = await redis.keys("backline:limit:guests:198.51.100.7:*")
        assert await redis.ttl(key) > 0


async def test_a_dead_redis_leaves_a_limit() -> None:
    """Nobody listens there: each process counts for itself."""
    async with Redis.from_url("unix:///nowhere/at/all.sock") as redis:
        assert await count_five(GuestLimit(RedisCounter(redis), 3), "a", 3600.0) == [0, 0, 0, 3600, 3600]


async def test_each_account_has_its_own_hour() -> None:
    """What one has spent another has not; what is spent for one thing is not spent for another."""
    counter, ann, ben = MemoryCounter(), uuid4(), uuid4()
    made, heavy = AccountLimit(counter, "made", 2), AccountLimit(counter, "heavy", 2)
    for limit in (made, heavy):
        await limit.spend(ann)
        await limit.spend(ann)
        with pytest.raises(ApiError) as caught:
            await limit.spend(ann)
        assert caught.value.code == "rate_limited"
        assert 1 <= caught.value.detail["retry_after_seconds"] <= 3600  # type: ignore[operator]
        await limit.spend(ben)


def test_an_ipv6_network_is_one_person() -> None:
    """Whoever has one address of a /64 has all of them."""
    assert network("2001:db8::1") == network("2001:db8::ffff:1") == "2001:db8::/64"
    assert network("2001:db8:0:1::1") != network("2001:db8::1")
    assert network("192.0.2.1") == "192.0.2.1"
    assert network("unknown") == "unknown"
