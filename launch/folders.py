"""The folders of an embedded server: its data under the data folder, its socket in a short one under /tmp."""

import errno
import hashlib
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from launch.account import Account, reachable
from launch.errors import LaunchError

SOCKET_PARENT = Path("/tmp")  # noqa: S108 - a socket's path has at most 107 bytes; its folder's owner is checked
OURS = ("pg", "bus", "log", "tickets.secret")


def data_folder(path: Path) -> Path:
    """`path`, made if it is missing, with its `log` folder; a LaunchError says why it cannot be used."""
    path = path.expanduser().absolute()
    try:
        with suppress(FileExistsError):  # it was there, or another process was faster
            path.mkdir(parents=True)
            path.chmod(0o711)  # ours: passable for the account the servers run as, whatever the umask
        path = path.resolve()
        (path / "log").mkdir(exist_ok=True)
        return path
    except OSError as error:
        raise LaunchError(f"The data folder {path} cannot be used: {error.strerror}.") from error


def make_reachable(data: Path, account: Account) -> None:
    """See that `account` can get into `data`: no folder above it is ever changed, and itself only if it is ours."""
    if not account.dropped or reachable(data, account):
        return
    if data.stat().st_uid == os.geteuid() and reachable(data.parent, account) and _is_ours(data):
        data.chmod(data.stat().st_mode | stat.S_IXOTH)
        return
    raise LaunchError(
        f"The data folder {data} cannot be reached by the unprivileged user that PostgreSQL runs as: "
        "choose another one with --data, for instance below /var/tmp."
    )


def _is_ours(data: Path) -> bool:
    return all(entry.name.startswith(OURS) for entry in data.iterdir())


def socket_folder(service: Path, account: Account) -> Path:
    """The short folder for the sockets of the server at `service`: the same for everyone who shares it."""
    name = hashlib.sha256(str(service).encode()).hexdigest()[:16]
    return SOCKET_PARENT / f"backline-{account.uid}-{name}"


def make_socket_folder(folder: Path, account: Account) -> None:
    """Make it, open to `account` alone. The name is predictable and /tmp is for all: a foreign one is refused."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid not in (os.geteuid(), account.uid) or not stat.S_ISDIR(status.st_mode):
        raise LaunchError(f"The folder {folder} was put there by someone else: remove it and start again.")
    account.owns(folder)


def listens(path: Path) -> bool:
    """Whether somebody listens on this unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        # EAGAIN: its queue is full, as that of a paused server is after a while
        return probe.connect_ex(str(path)) in (0, errno.EAGAIN)
