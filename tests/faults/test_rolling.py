"""Three nodes are restarted one after the other, as a deploy does it, while people play."""

import asyncio
import os
import random
import signal
import time
from functools import partial
from pathlib import Path

from launch.app import App
from tests.collab_server.peer import until
from tests.conftest import SECRET, unused_port
from tests.faults.audit import Room, agree
from tests.faults.cluster import Cluster
from tests.faults.figures import Figure, record, told
from tests.faults.musician import Musician

NODES = 3
ROOMS = 3
MUSICIANS_PER_ROOM = 3
SECONDS_BETWEEN_EDITS = 0.05
DONE = "the rolling restart is done"
ROLL_SECONDS = 90.0
START_SECONDS = 60.0
BACK_SECONDS = 1.0
"""How long a client may take beside its own pauses, on a machine that starts servers meanwhile."""


def _launcher(cluster: Cluster, folder: Path) -> App:
    """`launch run --nodes 3` on the cluster's database and bus; its port is the balancer's."""
    http, ws = unused_port(), unused_port()
    environment = {
        **{name: value for name, value in os.environ.items() if "__" not in name},
        "DATABASE__URL": cluster.postgres.dsn,
        "BUS__URL": cluster.valkey.url,
        "TICKETS__SECRET": SECRET,
    }
    options = ("run", "--data", str(folder), "--http", str(http), "--ws", str(ws), "--nodes", str(NODES))
    return App("launch", ws, environment, folder / "launch.log", options)


async def _rooms(cluster: Cluster, app: App) -> list[Room]:
    world, rooms = cluster.world, []
    for _ in range(ROOMS):
        room = Room(await world.project(await world.user()), [])
        for _ in range(MUSICIANS_PER_ROOM):
            client = next(cluster.clients)
            address = partial(world.url, app, room.project, await world.member(room.project))
            room.musicians.append(Musician(client, address, random.Random(client)))
        rooms.append(room)
    return rooms


async def test_a_rolling_restart_under_load_fails_no_edit(cluster: Cluster, scratch: Path) -> None:
    """Everybody is told 1012, is back at the first try after their own pause, and every edit is saved."""
    folder = scratch / "rolling"
    folder.mkdir(mode=0o711)
    app = _launcher(cluster, folder)
    await app.start(START_SECONDS)
    try:
        rooms = await _rooms(cluster, app)
        everybody = [musician for room in rooms for musician in room.musicians]
        async with asyncio.TaskGroup() as band:
            staying = [band.create_task(musician.stay()) for musician in everybody]
            playing = [band.create_task(musician.play(SECONDS_BETWEEN_EDITS)) for musician in everybody]
            await until(lambda: all(m.acknowledged for m in everybody), "everybody plays")
            began = time.monotonic()
            assert app.process is not None
            assert app.log is not None
            app.process.send_signal(signal.SIGHUP)
            took = await until(partial(_says, app.log, DONE), DONE, ROLL_SECONDS)
            for task in playing:
                task.cancel()
            for room in rooms:
                fresh = Musician(next(cluster.clients), room.musicians[0].address, random.Random(1))
                staying.append(band.create_task(fresh.stay()))
                await agree(cluster.world, room, fresh)
            codes = {code for musician in everybody for code in musician.closes}
            for task in staying:
                task.cancel()
    finally:
        await app.stop()
    absences = [absence for musician in everybody for absence in musician.absences]
    assert codes == {1012}
    assert {absence.tries for absence in absences} == {1}
    back = max(absence.seconds - absence.own_pause for absence in absences)
    assert back < BACK_SECONDS
    record(
        Figure(
            f"rolling restart of {NODES} nodes under load",
            "a blink: their clients come back on another node",
            f"{len(absences)} returns of {len(everybody)} clients in {told(took)}, all told 1012 and back at the first "
            f"try, {told(back)} at most after their own pause; saved after "
            f"{told(max(m.worst_delay(began) for m in everybody))} at most, no edit failed",
        )
    )


def _says(log: Path, words: str) -> bool:
    return words in log.read_text()
