"""Both apps on a database of their own: where pages stand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from launch.app import App


@dataclass(frozen=True, slots=True)
class Stage:
    """What serves the pages of a test."""

    database: str
    environment: dict[str, str]
    collab: App
    api: App


@asynccontextmanager
async def standing(database: str, environment: dict[str, str], scratch: Path) -> AsyncIterator[Stage]:
    """Both apps, started and stopped side by side."""
    logs = scratch / f"browser-{uuid4().hex}"
    collab = App("collab_server", int(environment["COLLAB__PORT"]), environment, logs.with_suffix(".collab.log"))
    api = App("api", int(environment["API__PORT"]), environment, logs.with_suffix(".api.log"))
    try:
        await asyncio.gather(collab.start(), api.start())
        yield Stage(database, environment, collab, api)
    finally:
        await asyncio.gather(collab.stop(), api.stop())
