"""Operators of the module's node: commands as processes, with its database, its bus and its token."""

import asyncio
import io
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from pydantic import SecretStr

from collab_server.operate.arguments import read
from collab_server.operate.commands import told
from collab_server.operate.settings import NodeAddress, NodeSettings, StoreSettings
from collab_server.operate.store import Store, open_store
from collab_server.settings import OperatorSettings
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
def command(app_environment: dict[str, str]) -> Operate:
    """command("inspect", project, ..., DATABASE__URL="..."): `python -m collab_server` with these arguments.

    A variable that is changed to None is not set.
    """

    async def run(*arguments: object, **changed: str | None) -> Said:
        environment = {name: value for name, value in {**app_environment, **changed}.items() if value is not None}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "collab_server", *map(str, arguments)),
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, out, err.decode())

    return run


@pytest.fixture(scope="module")
def operate(app_environment: dict[str, str]) -> Operate:
    """operate("inspect", project, ..., BUS__URL="..."): the same in this process, which need not start one."""

    async def run(*arguments: object, **changed: str) -> Said:
        environment = app_environment | changed
        out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            asked = read([str(argument) for argument in arguments])
            status = await told(asked, lambda: _store_settings(environment), lambda: _node_settings(environment))
        return Said(status, out.buffer.getvalue(), err.getvalue())

    return run


def _store_settings(environment: dict[str, str]) -> StoreSettings:
    database = DatabaseSettings(url=environment["DATABASE__URL"])
    return StoreSettings(database=database, bus=BusSettings(url=environment["BUS__URL"]))


def _node_settings(environment: dict[str, str]) -> NodeSettings:
    token = SecretStr(environment["OPERATOR__TOKEN"])
    collab = NodeAddress(port=int(environment["COLLAB__PORT"]))
    return NodeSettings(collab=collab, operator=OperatorSettings(token=token))


@pytest.fixture(scope="module")
async def store(app_environment: dict[str, str]) -> AsyncIterator[Store]:
    """The module's database and bus as the commands use them."""
    async with open_store(_store_settings(app_environment)) as opened:
        yield opened


@pytest.fixture
async def second(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """Another node beside `collab`."""
    port = free_ports()
    app = App("collab_server", port, {**app_environment, "COLLAB__PORT": str(port)}, scratch / f"{port}.log")
    await app.start()
    yield app
    await app.stop()


@pytest.fixture
def node(collab: App) -> str:
    """The address of the module's node."""
    return collab.http
