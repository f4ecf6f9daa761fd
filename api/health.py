"""Is it alive, can it serve, what has it done: for supervisors and Prometheus."""

import asyncio
from typing import Final

from fastapi import APIRouter, Response
from starlette.responses import JSONResponse

from api.metrics import CONTENT_TYPE
from api.services import Given, Services
from persistence.errors import TRANSIENT

SELECT_ONE: Final = "select 1"

router = APIRouter(tags=["health"])


@router.get("/live")
async def live() -> dict[str, bool]:
    """The process answers."""
    return {"live": True}


@router.get("/ready")
async def ready(given: Given) -> Response:
    """The database and the bus can be reached; 503 says which cannot."""
    states = {"database": await _database(given), "bus": given.bus.healthy}
    away = [name for name, there in states.items() if not there]
    if not away:
        return JSONResponse({"ready": True})
    message = f"Not reachable: {' and '.join(away)}."
    error = {"code": "not_ready", "message": message, "unreachable": away}
    return JSONResponse({"ready": False, "error": error}, 503)


async def _database(given: Services) -> bool:
    try:
        async with asyncio.timeout(given.settings.api.ready_seconds_max), given.pool.acquire() as connection:
            await connection.fetchval(SELECT_ONE)
    except TRANSIENT:
        return False
    return True


@router.get("/metrics")
async def metrics(given: Given) -> Response:
    """Prometheus' text format."""
    return Response(given.metrics.exposition(), media_type=CONTENT_TYPE)
