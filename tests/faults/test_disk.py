"""The database's disk is full: nothing can be saved and nothing is called saved, and both are when there is room."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from persistence.errors import TRANSIENT
from tests.collab_server.peer import until
from tests.faults.band import band, lasts_until
from tests.faults.cluster import Cluster
from tests.faults.cluster import cluster as standing_cluster
from tests.faults.figures import Figure, fault_seconds, record, told

DISK_BYTES = 144 << 20
CHUNK = bytes(1 << 20)
FULL_SECONDS = 20.0
NEXT_SEGMENT = "select pg_switch_wal()"
SOMETHING = "select pg_logical_emit_message(false, 'fault', 'x')"


@pytest.fixture
def disk(scratch: Path) -> Iterator[Path]:
    """A small disk of its own, which only root may make."""
    place = scratch / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=711", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
async def small(disk: Path) -> AsyncIterator[Cluster]:
    """A node whose database is on the small disk."""
    async with standing_cluster(disk / "cluster", 1) as standing:
        yield standing


async def test_a_full_disk_is_waited_for(small: Cluster, disk: Path) -> None:
    """PostgreSQL first cannot grow a table, then not its log, and ends itself: the node lives through both."""
    (node,) = small.nodes
    filler = disk / "filler"
    async with band(small) as playing:
        began = time.monotonic()
        _fill(filler)
        noticed = await until(lambda: _is_full(small), "nothing can be saved any more", FULL_SECONDS)
        assert await node.ready() == 503
        await lasts_until(began + fault_seconds())
        died = await _exhaust_log(small)
        filler.unlink()
        back = time.monotonic()
        if not small.postgres.answers() or died:
            await small.start_postgres()
        recovery = await playing.recovered(back)
        delay = playing.worst_delay(began)
        assert not playing.absences(began)
    assert died
    record(
        Figure(
            f"the database's disk full for {delay:.0f} s (PostgreSQL gives errors, then ends itself)",
            "“saved” waits; nobody is cut off, nobody can come in",
            f"/ready says so {told(noticed)} after the last free byte; everything saved {told(recovery)} after there "
            f"was room again",
        )
    )


def _fill(filler: Path) -> None:
    """To the last byte."""
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(CHUNK):
            pass


async def _is_full(cluster: Cluster) -> bool:
    """Whether the node says that it cannot save; what is written until then fills the pages that are there."""
    return await cluster.nodes[0].ready() == 503


async def _exhaust_log(cluster: Cluster) -> bool:
    """Begin new segments of the log until there is no room for one; whether PostgreSQL has ended a connection by it."""
    with suppress(asyncpg.PostgresError, *TRANSIENT):
        async with asyncio.timeout(FULL_SECONDS):
            connection = await asyncpg.connect(cluster.postgres.dsn)
            while True:
                await connection.execute(SOMETHING)
                await connection.execute(NEXT_SEGMENT)
    return connection.is_closed()
