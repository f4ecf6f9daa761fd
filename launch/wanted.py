"""What the command line asks for, and what follows from it for the apps: their ports and their environment."""

import os
import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from launch.errors import LaunchError
from launch.place import PROJECT, tickets_secret

NODES_MAX = 8
"""A node has up to nine connections to the database, and the embedded one takes a hundred."""

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST_PORT, USUAL_EPHEMERAL = 10_000, 32_768
TRIES = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    data: Path | None
    http: int
    ws: int
    nodes: int = 1


def app_environment(wanted: Wanted, outside: Mapping[str, str], database: str, bus: str, data: Path) -> dict[str, str]:
    """The apps' environment: ours, with what the launcher decides, and defaults for what nobody said."""
    page = PROJECT / "client" / "web" / "dist"
    return {
        "COLLAB__HOST": "127.0.0.1",
        "COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{wanted.ws}",
        "API__HOST": "127.0.0.1",
        "API__PUBLIC_URL": f"http://127.0.0.1:{wanted.http}",
        "API__STUDIO_DIST": str(page),
        **outside,
        "TICKETS__SECRET": outside.get("TICKETS__SECRET") or tickets_secret(data),
        "DATABASE__URL": database,
        "BUS__URL": bus,
        "COLLAB__PORT": str(wanted.ws),
        "API__PORT": str(wanted.http),
        "PYTHONPATH": os.pathsep.join(filter(None, (outside.get("PYTHONPATH"), str(PROJECT)))),
    }


def check_ports(wanted: Wanted) -> None:
    """LaunchError if one of the ports is taken."""
    if wanted.http == wanted.ws:
        raise LaunchError(f"--http and --ws are both {wanted.http}: they need a port each.")
    for option, port in (("--http", wanted.http), ("--ws", wanted.ws)):
        with socket.socket() as probe:
            try:
                _bind(probe, port)
            except OSError as error:
                why = f"cannot be used: {error.strerror}"
                raise LaunchError(f"Port {port} {why}; choose another one with {option}.") from error


def node_ports(wanted: Wanted) -> tuple[int, ...]:
    """A port for each node: `--ws` for a single one, else unused ones that nobody was asked about.

    They lie below the range from which the system takes ports for outgoing connections: one of those could otherwise
    get a node's port while the node is away, and a connection from there to itself would even succeed.
    """
    if wanted.nodes == 1:
        return (wanted.ws,)
    ports = random.sample(range(FIRST_PORT, _outgoing_from()), TRIES)
    with ExitStack() as held:
        return tuple(_unused(held, ports, {wanted.http, wanted.ws}) for _ in range(wanted.nodes))


def _outgoing_from() -> int:
    try:
        lowest = int(EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = USUAL_EPHEMERAL
    return lowest if lowest > FIRST_PORT + TRIES else USUAL_EPHEMERAL


def _unused(held: ExitStack, ports: list[int], taken: set[int]) -> int:
    """The next port that can be bound; it stays bound until `held` is left, so that it is given once."""
    while ports:
        port = ports.pop()
        probe = held.enter_context(socket.socket())
        try:
            _bind(probe, port)
        except OSError:
            continue
        if port not in taken:
            return port
    raise LaunchError("There is no unused port on 127.0.0.1 for the nodes.")


def _bind(probe: socket.socket, port: int) -> None:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", port))
