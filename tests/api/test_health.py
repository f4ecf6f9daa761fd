"""Liveness, readiness and metrics."""

import httpx

from api.app import running
from api.settings import Settings
from presence.settings import BusSettings
from tests.api.people import Meet, client_of, nowhere, until


async def test_it_lives_and_is_ready(http: httpx.AsyncClient) -> None:
    """With database and bus there."""
    assert (await http.get("/live")).json() == {"live": True}

    async def ready() -> bool:
        return bool((await http.get("/ready")).json() == {"ready": True})

    await until(ready)


async def test_it_says_which_of_its_needs_is_away(settings: Settings) -> None:
    """A bus that is not there is named."""
    away = settings.model_copy(update={"bus": BusSettings(url="unix:///nowhere/at/all.sock")})
    async with running(away) as app, client_of(app) as client:
        answer = await client.get("/ready")
        assert answer.status_code == 503
        assert answer.json()["error"]["unreachable"] == ["bus"]
        assert (await client.post("/api/guests")).status_code == 201


async def test_requests_are_counted_by_template(http: httpx.AsyncClient, meet: Meet) -> None:
    """Neither ids nor invented addresses make new series."""
    ann = await meet("Ann")
    await ann.get(nowhere())
    await http.get("/invented/address")
    await http.request("INVENTED", "/live")
    told = (await http.get("/metrics")).text
    assert 'backline_http_requests_total{method="GET",route="/api/projects/{project_id}",status="404"}' in told
    assert 'route="unmatched",status="404"' in told
    assert "invented" not in told.lower()
    assert 'backline_http_request_seconds_bucket{le="0.01",method="GET"' in told
