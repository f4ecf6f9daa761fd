"""Operators of the module's node: commands as processes, with its database, its bus and its token."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

import pytest

from collab_server.operate.settings import StoreSettings
from collab_server.operate.store import Store, open_store
from launch.app import App
from persistence.settings import DatabaseSettings
from presence.settings import BusSettings

TOKEN = "the operators' token of the tests"


class Said(NamedTuple):
    """What a command left: exit code, standard output and standard error."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.out.decode()

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Operate: TypeAlias = Callable[..., Awaitable[Said]]


@pytest.fixture(scope="module")
def app_environment(app_environment: dict[str, str]) -> dict[str, str]:
    """The node of this module knows the operators' token."""
    return app_environment | {"OPERATOR__TOKEN": TOKEN}


@pytest.fixture(scope="module")
def operate(app_environment: dict[str, str]) -> Operate:
    """operate("inspect", project, ..., DATABASE__URL="..."): `python -m collab_server` with these arguments."""

    async def run(*arguments: object, **changed: str) -> Said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "collab_server", *map(str, arguments)),
            env=app_environment | changed,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, out, err.decode())

    return run


@pytest.fixture
def node(collab: App) -> str:
    """The address of the module's node."""
    return collab.http


@pytest.fixture(scope="module")
async def store(database: str, redis_url: str) -> AsyncIterator[Store]:
    """The module's database and bus as the commands use them."""
    settings = StoreSettings(database=DatabaseSettings(url=database), bus=BusSettings(url=redis_url))
    async with open_store(settings) as opened:
        yield opened
