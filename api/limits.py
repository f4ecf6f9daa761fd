"""How many guest accounts one address may open, and how much one account may make: a fixed window of an hour, counted
in the bus's Redis.

While Redis is away each process counts for itself: accounts stay possible, and so does the limit.
"""

import ipaddress
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.errors import ApiError

WINDOW_SECONDS: Final = 3600
ADDRESSES_MAX: Final = 10_000
REDIS_SECONDS_MAX: Final = 1.0

log = logging.getLogger(__name__)


class Counter(Protocol):
    """Counts what happens per key and window."""

    async def count(self, key: str, window: int) -> int:
        """Adds one to `key` in window number `window`; returns the sum."""
        ...


@dataclass(slots=True)
class MemoryCounter:
    """This process alone; the longest unseen key is forgotten when there are too many."""

    counts: OrderedDict[tuple[str, int], int] = field(default_factory=OrderedDict)

    async def count(self, key: str, window: int) -> int:
        place = (key, window)
        self.counts[place] = self.counts.pop(place, 0) + 1
        if len(self.counts) > ADDRESSES_MAX:
            self.counts.popitem(last=False)
        return self.counts[place]


@dataclass(frozen=True, slots=True)
class RedisCounter:
    """All processes together, and this one alone while Redis is away."""

    redis: Redis
    alone: MemoryCounter = field(default_factory=MemoryCounter)

    async def count(self, key: str, window: int) -> int:
        name = f"backline:limit:{key}:{window}"
        try:
            async with self.redis.pipeline(transaction=True) as pipe:
                pipe.incr(name)
                pipe.expire(name, 2 * WINDOW_SECONDS)
                total, _ = await pipe.execute()
                return int(total)
        except (RedisError, OSError, TimeoutError):
            log.warning("the rate limit is counted by this process alone: Redis is away")
            return await self.alone.count(key, window)


@dataclass(frozen=True, slots=True)
class GuestLimit:
    """At most `per_hour` new guests per address."""

    counter: Counter
    per_hour: int

    async def wait_seconds(self, address: str, now: float) -> int:
        """0 when one more is allowed at `now` (seconds since 1970), else how long to wait."""
        return await _wait(self.counter, f"guests:{network(address)}", self.per_hour, now)


@dataclass(frozen=True, slots=True)
class AccountLimit:
    """At most `per_hour` of what `name` stands for, per account."""

    counter: Counter
    name: str
    per_hour: int

    async def spend(self, user_id: UUID) -> None:
        """Counts one. Raises rate_limited when it is one too many."""
        if wait := await _wait(self.counter, f"{self.name}:{user_id}", self.per_hour, time.time()):
            raise ApiError("rate_limited", retry_after_seconds=wait)


async def _wait(counter: Counter, key: str, per_hour: int, now: float) -> int:
    window = int(now // WINDOW_SECONDS)
    if await counter.count(key, window) <= per_hour:
        return 0
    return max(1, int((window + 1) * WINDOW_SECONDS - now))


def network(address: str) -> str:
    """Whom an address stands for: itself, or its /64 for IPv6, of which one person has a whole one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
