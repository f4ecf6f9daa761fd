"""`python -m api`: the HTTP app as a process. What stops it from starting is one sentence on stderr and exit code 2."""

import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import Final

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import ValidationError

from api import logs
from api.app import running
from api.settings import Settings
from persistence.errors import TRANSIENT

REFUSED: Final = 2
NEEDED: Final[Mapping[str, str]] = MappingProxyType({"database": "url", "bus": "url", "tickets": "secret"})
"""What has no default, by its section."""
BACKLOG: Final = 2048
UNUSABLE: Final[tuple[type[Exception], ...]] = (*TRANSIENT, asyncpg.PostgresError, ValueError)


class CannotStart(Exception):
    """One sentence about what is wrong."""


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    try:
        settings = configured(Settings)
        logs.configure(settings.log.level)
        with bound(settings.api.host, settings.api.port) as listener:
            uvloop.run(serve(settings, listener))
    except CannotStart as error:
        sys.stderr.write(f"api: {error}\n")
        return REFUSED
    return 0


def configured(read: Callable[..., Settings]) -> Settings:
    """The settings of the environment. Raises CannotStart that names what is wrong, never its value."""
    try:
        return read()
    except ValidationError as error:
        wrong = "; ".join(_complaint([str(part) for part in e["loc"]], e["type"], e["msg"]) for e in error.errors())
        raise CannotStart(f"the configuration is not usable: {wrong}.") from None


def _complaint(place: list[str], kind: str, message: str) -> str:
    """What is wrong with one variable, by its name."""
    if kind == "missing":
        return f"{'__'.join([*place, NEEDED[place[0]]][:2]).upper()} is not set"
    return f"{'__'.join(place).upper()}: {message}"


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart when the port is taken or the host is not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}:{port}: {error.strerror or error}.") from None


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Runs the app until a signal; requests under way are finished first."""
    async with AsyncExitStack() as stack:
        app = await _opened(stack, settings)
        await _server(app, settings).serve(sockets=[listener])


async def _opened(stack: AsyncExitStack, settings: Settings) -> FastAPI:
    try:
        return await stack.enter_async_context(running(settings))
    except UNUSABLE as error:
        raise CannotStart(f"the database of DATABASE__URL cannot be used: {_words(error)}.") from None


def _server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    # uvicorn raises the signal again after it has stopped: it should end nothing then, and the exit code be 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    proxies = settings.api.trusted_proxies
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        timeout_graceful_shutdown=settings.api.shutdown_seconds_max,
        ws="none",
    )
    return uvicorn.Server(config)


def _words(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
