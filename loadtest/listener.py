"""Which process of this machine listens on a port, and which ones stand behind it, as Linux tells it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTENING, ESTABLISHED = "0A", "01"
DATABASES = frozenset({"postgres", "valkey-server", "redis-server"})


def listener(port: int) -> int | None:
    """The id of the process (the eldest, if several share the socket), or None if none is seen."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not wanted:
        return None
    return next((pid for pid in sorted(_pids()) if wanted & _sockets(pid)), None)


def behind(pid: int) -> dict[int, int]:
    """Port → process of the local servers that a process is connected to; databases are left aside."""
    own, rows = _sockets(pid), list(_rows())
    served = {_port(row[1]) for row in rows if row[3] == LISTENING}
    reached = {_port(row[2]) for row in rows if row[3] == ESTABLISHED and f"socket:[{row[9]}]" in own}
    found = {port: listener(port) for port in reached & served}
    return {port: other for port, other in found.items() if other not in (None, pid) and _comm(other) not in DATABASES}


def _comm(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _inodes(port: int) -> Iterator[str]:
    return (row[9] for row in _rows() if row[3] == LISTENING and _port(row[1]) == port)


def _rows() -> Iterator[list[str]]:
    """The kernel's table of TCP sockets."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            yield from (line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:])


def _pids() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def _sockets(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                found.add(os.readlink(entry.path))
    return found
