"""A collab server of a test's own, beside the one of its module."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from launch.app import App


@asynccontextmanager
async def own_server(environment: Mapping[str, str], port: int, scratch: Path, **changed: str) -> AsyncIterator[App]:
    """It runs until the block ends, with the module's environment but for its port and what is `changed`."""
    own = {**environment, "COLLAB__PORT": str(port), **changed}
    app = App("collab_server", port, own, scratch / f"{uuid4().hex}.log")
    await app.start()
    try:
        yield app
    finally:
        await app.stop()
