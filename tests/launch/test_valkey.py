"""The embedded Valkey: shared like the database."""

import os
import signal
from pathlib import Path

from redis.asyncio import Redis

from launch.valkey import EmbeddedValkey
from tests.launch.support import alive, until


async def test_users_share_one_server_and_the_last_stops_it(scratch: Path) -> None:
    """A second user gets the same server, which serves Redis commands and ends with the last user."""
    data = scratch / "bus-shared"
    with EmbeddedValkey(data) as first:
        with EmbeddedValkey(data) as second:
            assert first.pid == second.pid
        pid = first.pid
        assert pid is not None
        async with Redis.from_url(first.url) as bus:
            assert await bus.set("key", "value")
    until(lambda: not alive(pid))


def test_it_starts_again_after_kill_9(scratch: Path) -> None:
    """After kill -9 `ensure` brings a new server to the same address."""
    with EmbeddedValkey(scratch / "bus-killed") as server:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not server.answers())
        server.ensure()
        assert server.pid not in (None, pid)
