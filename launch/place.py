"""Where the data is kept, and the secret that tickets are signed with."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from launch.account import nobody, reachable
from launch.errors import LaunchError
from launch.folders import data_folder
from launch.terminal import say

PROJECT = Path(__file__).resolve().parent.parent
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - the folder is checked for its owner


def choose_data_folder(wanted: Path | None, project: Path = PROJECT) -> Path:
    """`wanted`, or `.backline` of the project, or, where that cannot be used, one in /var/tmp: then it is said."""
    if wanted is not None:
        return data_folder(wanted)
    usual = project / ".backline"
    if not (obstacle := _obstacle(usual)):
        return data_folder(usual)
    name = hashlib.sha256(str(project).encode()).hexdigest()[:12]
    folder = ELSEWHERE / f"backline-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.lstat().st_uid != os.geteuid() or folder.is_symlink():
        raise LaunchError(f"The folder {folder} was put there by someone else: choose another one with --data.")
    say(f"the data is kept in {folder}, since {obstacle}")
    return data_folder(folder)


def _obstacle(usual: Path) -> str:
    """Why the data cannot be kept in the usual folder; "" if it can."""
    if os.geteuid() == 0:
        return "" if reachable(usual.parent, nobody()) else f"PostgreSQL's own user cannot reach {usual.parent}"
    folder = usual if usual.exists() else usual.parent
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written by this user"


def tickets_secret(data: Path) -> str:
    """The secret of this data folder, made once and readable by its owner alone."""
    path = data / "tickets.secret"
    try:
        with suppress(FileExistsError):
            _write_once(path, secrets.token_urlsafe(48))
        secret = path.read_text().strip()
    except OSError as error:
        raise LaunchError(f"The file {path} cannot be used: {error.strerror}.") from error
    if len(secret) < 32:
        raise LaunchError(f"The file {path} is damaged: remove it and start again (open studios then reconnect).")
    return secret


def _write_once(path: Path, secret: str) -> None:
    """Written aside and linked, so that a half-written one is never read."""
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
        os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
