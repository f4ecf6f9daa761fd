"""Real servers for every test: PostgreSQL and Valkey from the wheels, a migrated database, the apps as processes."""

import fcntl
import os
import random
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from launch.app import App
from launch.folders import SOCKET_PARENT
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from tests.turns import measures_time, turn

SCRATCH = "backline-test-"
TEMPLATE = "backline_template"
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
TURNS = "BACKLINE_TURNS"
BYTECODE_FOLDER = "PYTHONPYCACHEPREFIX"
PORTS = range(12_000, 32_000)
WORKERS_MAX = 8
SECRET = "a secret of the tests, long enough to sign with"
CREATE_DATABASE = 'create database "{}" template "{}"'
DROP_DATABASE = 'drop database if exists "{}" with (force)'


def pytest_configure(config: pytest.Config) -> None:
    """Whoever starts the workers makes the folder where they take turns. The apps that are started find the packages
    that ./dev test names, which are compiled; for plain pytest those of the project."""
    if not hasattr(config, "workerinput"):
        path = os.environ.get("PYTHONPATH"), str(config.rootpath)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        os.environ[TURNS] = tempfile.mkdtemp(prefix="backline-turns-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """And removes it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(TURNS), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test has its turn with everything that is set up for it."""
    with turn(Path(os.environ[TURNS]), alone=measures_time(item.path)):
        return (yield)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that an unprivileged user can reach too; pytest's own are closed to others."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir="/var/tmp"))
    with (folder / "new.lock").open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_SH)
        (folder / "new.lock").rename(folder / "in-use.lock")  # held by now: no other worker sweeps it away
        folder.chmod(0o711)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(scratch: Path) -> Iterator[None]:
    """Processes keep what they compile: hundreds are started here, and where the environment forbids `__pycache__`
    each would compile every module anew."""
    forbidden = os.environ.pop(NO_BYTECODE, None)
    if forbidden is None:
        yield
        return
    os.environ[BYTECODE_FOLDER] = str(scratch / "compiled")
    yield
    del os.environ[BYTECODE_FOLDER]
    os.environ[NO_BYTECODE] = forbidden


def _sweep() -> None:
    """Remove what killed test runs left behind: folders whose mark nobody holds any more."""
    for mark in Path("/var/tmp").glob(f"{SCRATCH}*/in-use.lock"):
        with suppress(OSError), mark.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.parent, ignore_errors=True)
    for sockets in SOCKET_PARENT.glob("backline-*"):
        with suppress(OSError):  # not empty: in use; young: a server that is just starting
            if sockets.stat().st_mtime < time.time() - 3600:
                sockets.rmdir()


@pytest.fixture(scope="session")
def postgres_server(scratch: Path) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL all tests share. A test that kills servers starts its own on another data folder."""
    with EmbeddedPostgres(scratch / "shared", bound=True) as server:
        yield server


@pytest.fixture(scope="session")
async def template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a migrated database nobody is connected to."""
    from persistence.migrate import migrate

    await _create(postgres_server, TEMPLATE, "template0")
    await migrate(postgres_server.dsn_of(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
async def postgres_dsn(postgres_server: EmbeddedPostgres, template: str) -> str:
    """A migrated database for the whole session."""
    await _create(postgres_server, "session", template)
    return postgres_server.dsn_of("session")


@pytest.fixture(scope="module")
async def database(postgres_server: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """The dsn of a fresh migrated database of this test module, dropped after it."""
    async with fresh_database(postgres_server, template) as dsn:
        yield dsn


@asynccontextmanager
async def fresh_database(server: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """The dsn of a copy of `template`, dropped at the end."""
    name = f"module_{uuid4().hex}"
    await _create(server, name, template)
    yield server.dsn_of(name)
    await _execute(server, DROP_DATABASE.format(name))


@pytest.fixture(scope="session")
def redis_url(scratch: Path) -> Iterator[str]:
    """A real Valkey, as unix:///path."""
    with EmbeddedValkey(scratch / "shared", bound=True) as server:
        yield server.url


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    return unused_port()


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Another unused port at each call."""
    return unused_port


def unused_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on and nobody else is given: below those that the system gives to
    outgoing connections, of this worker's own share, and not the one of before."""
    for port in _ports():
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("an endless row of ports has ended")


@cache
def _ports() -> Iterator[int]:
    """This worker's share, round and round from anywhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = PORTS[worker % WORKERS_MAX :: WORKERS_MAX]
    first = random.randrange(len(share))
    return cycle([*share[first:], *share[:first]])


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for playwright's `executable_path`. Without one a test is skipped, but on CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail("there is no Chromium on this machine, and on CI no browser test may be skipped")
    pytest.skip("there is no Chromium on this machine")


@pytest.fixture(scope="module")
def app_environment(database: str, redis_url: str) -> dict[str, str]:
    """What both apps are configured with, on two unused ports. TICKETS__SECRET signs tickets for `collab`."""
    return environment_of(database, redis_url)


def environment_of(database: str, redis_url: str) -> dict[str, str]:
    """What both apps are configured with, on two unused ports."""
    collab_port, api_port = unused_port(), unused_port()
    return {
        **{name: value for name, value in os.environ.items() if "__" not in name},
        "DATABASE__URL": database,
        "BUS__URL": redis_url,
        "TICKETS__SECRET": SECRET,
        "COLLAB__HOST": "127.0.0.1",
        "COLLAB__PORT": str(collab_port),
        "COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{collab_port}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(api_port),
        "API__PUBLIC_URL": f"http://127.0.0.1:{api_port}",
        "API__GUESTS_PER_HOUR_MAX": "1000000",  # one machine is everybody here
        "LOG__LEVEL": "info",
    }


@pytest.fixture(scope="module")
async def collab(app_environment: dict[str, str], scratch: Path) -> AsyncIterator[App]:
    """A running `python -m collab_server` (.ws, .http, .process, .environment, .log) on the module's database."""
    app = App("collab_server", int(app_environment["COLLAB__PORT"]), app_environment, scratch / "collab.log")
    await app.start()
    yield app
    await app.stop()


@pytest.fixture(scope="module")
async def api_server(app_environment: dict[str, str], scratch: Path) -> AsyncIterator[App]:
    """A running `python -m api` (.http, .process, .environment, .log) on the module's database."""
    app = App("api", int(app_environment["API__PORT"]), app_environment, scratch / "api.log")
    await app.start()
    yield app
    await app.stop()


async def _create(server: EmbeddedPostgres, name: str, template: str) -> None:
    await _execute(server, CREATE_DATABASE.format(name, template))


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
