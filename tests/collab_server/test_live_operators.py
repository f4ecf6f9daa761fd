"""Tests of what the real server shows to operators."""

from uuid import UUID, uuid4

import httpx

from launch.app import App
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import Peer, until
from tests.collab_server.world import User, metric


async def test_operators_are_answered(project: UUID, ada: User, collab: App, make_peer: MakePeer) -> None:
    """/live, /ready and /metrics answer on the same port; what is not there is 404."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    async with httpx.AsyncClient(base_url=collab.http) as client:
        assert (await client.get("/live")).status_code == 200
        assert (await client.get("/ready")).text == "ready\n"
        assert (await client.get(f"/{uuid4()}")).status_code == 404
        metrics = (await client.get("/metrics")).text
    for name in (
        "backline_rooms",
        "backline_connections",
        "backline_updates_total",
        "backline_commits_total",
        "backline_commit_seconds_count",
        "backline_save_lag_seconds",
        "backline_outbox_bytes",
        "backline_loop_lag_seconds_count",
    ):
        assert f"\n{name} " in metrics, name
    assert await metric(collab, "backline_rooms") >= 1
    assert await metric(collab, "backline_committed_updates_total") >= 1


async def test_refusals_are_counted_by_reason(collab: App) -> None:
    """A refused ticket shows in the metrics."""
    ghost = await Peer(5, f"{collab.ws}/y/{uuid4()}").connect()
    await until(lambda: ghost.closed)
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{collab.http}/metrics")).text
    assert 'backline_refusals_total{reason="4401 a ticket is needed"}' in text
