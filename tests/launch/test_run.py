"""`python -m launch run`: one ready line, a clean stop, or one sentence and exit code 2 if something is in the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from launch.app import PATIENCE
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from tests.launch.support import ROOT, alive, apps_below, environment, launcher, ready, serves, until

REFUSED = 2


def refusal(data: Path, ports: tuple[int, int], **more: str) -> str:
    """The one sentence it ends with; it must end with exit code 2 and print nothing else."""
    with launcher(data, ports, **more) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (REFUSED, "")
    assert stderr.count("\n") == 1
    return stderr


@pytest.fixture(scope="module")
def ports(free_ports: Callable[[], int]) -> tuple[int, int]:
    """HTTP and websocket ports of this module's studio."""
    return free_ports(), free_ports()


def test_a_busy_port_is_refused(scratch: Path, ports: tuple[int, int]) -> None:
    """A port that somebody listens on is named, with the option that changes it."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert f"Port {port} cannot be used" in refusal(scratch / "busy", (port, ports[1]))
        assert "another one with --ws" in refusal(scratch / "busy", (ports[0], port))


def test_a_broken_data_folder_is_refused(scratch: Path, ports: tuple[int, int]) -> None:
    """A cluster that PostgreSQL cannot read ends the start with its reason."""
    data = scratch / "run-broken"
    with EmbeddedPostgres(data):
        pass
    (cluster,) = data.glob("pg[0-9][0-9]")
    (cluster / "PG_VERSION").write_text("9\n")
    assert "does not start on" in refusal(data, ports)


@pytest.mark.parametrize("name", ["postgres", "valkey", "collab_server", "api"])
def test_a_log_that_cannot_be_written_is_refused(
    scratch: Path, postgres_dsn: str, ports: tuple[int, int], name: str
) -> None:
    """A folder in its place ends the start in one sentence."""
    log = scratch / f"run-without-{name}" / "log" / f"{name}.log"
    log.mkdir(parents=True)
    outside = {} if name == "postgres" else {"DATABASE__URL": postgres_dsn}
    assert f"The log {log} cannot be written: Is a directory." in refusal(log.parent.parent, ports, **outside)


@pytest.mark.parametrize(
    ("outside", "sentence"),
    [
        ({"DATABASE__URL": "mysql://someone@127.0.0.1/x"}, "not the address of a PostgreSQL database"),
        ({"DATABASE__URL": "postgresql://someone:pw@127.0.0.1:1/x"}, "at 127.0.0.1:1/x cannot be reached"),
        ({"BUS__URL": "127.0.0.1"}, "not the address of a Redis or Valkey"),
        ({"BUS__URL": "redis://:pw@127.0.0.1:1/0"}, "at 127.0.0.1:1/0 cannot be reached"),
    ],
)
def test_a_wrong_or_dead_address_is_refused(
    scratch: Path, postgres_dsn: str, ports: tuple[int, int], outside: dict[str, str], sentence: str
) -> None:
    """An outside server that is not there is named, without its password."""
    said = refusal(scratch / "outside", ports, **{"DATABASE__URL": postgres_dsn, **outside})
    assert sentence in said
    assert "pw" not in said


def restarted(victim: int, port: int) -> bool:
    """Whether another process than `victim` serves."""
    return not alive(victim) and serves(port)


def children(pid: int) -> dict[str, int]:
    """The apps below the launcher `pid`: module name → process id."""
    return dict(apps_below(pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_ready_once_and_stops_cleanly(scratch: Path, ports: tuple[int, int], number: signal.Signals) -> None:
    """One line on stdout when both apps serve; after a signal nothing of it runs and the exit code is 0."""
    with launcher(scratch / "run", ports) as process:
        ready(process, ports)
        assert serves(ports[0])
        assert serves(ports[1])
        apps = children(process.pid)
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "")
    assert set(apps) == {"collab_server", "api"}
    assert not any(alive(pid) for pid in apps.values())
    assert not list((scratch / "run").glob("pg*/postmaster.pid"))


def test_what_dies_is_started_again(scratch: Path, ports: tuple[int, int]) -> None:
    """kill -9 of either app, and of PostgreSQL, and the studio serves again without anybody's help."""
    with launcher(scratch / "run", ports) as process:
        ready(process, ports)
        for module, port in (("collab_server", ports[1]), ("api", ports[0])):
            victim = children(process.pid)[module]
            os.kill(victim, signal.SIGKILL)
            until(partial(restarted, victim, port), 60)
        with EmbeddedPostgres(scratch / "run") as database:
            victim = database.pid or 0
            os.kill(victim, signal.SIGKILL)
            until(lambda: database.pid not in (None, victim) and serves(ports[0]) and serves(ports[1]), 60)


def test_the_apps_die_with_a_killed_launcher(scratch: Path, ports: tuple[int, int]) -> None:
    """kill -9 of the launcher: the apps stop by themselves, and the next start takes over the database."""
    with launcher(scratch / "run", ports) as process:
        ready(process, ports)
        apps = children(process.pid)
        process.kill()
        until(lambda: not any(alive(pid) for pid in apps.values()), 60)
    began = time.monotonic()
    with launcher(scratch / "run", ports) as process:
        ready(process, ports)
    assert time.monotonic() - began < 60


def stopped(data: Path) -> tuple[int, str]:
    """Exit code and last words of `launch stop`."""
    command = [sys.executable, "-P", "-m", "launch", "stop", "--data", str(data)]
    done = subprocess.run(
        command, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_what_a_killed_launcher_left_can_be_stopped(scratch: Path, ports: tuple[int, int]) -> None:
    """Not while a studio uses it; after kill -9 both servers end, and then there is nothing to be stopped."""
    data = scratch / "left"
    with launcher(data, ports) as process:
        ready(process, ports)
        code, words = stopped(data)
        assert (code, words.count("\n")) == (REFUSED, 1)
        assert serves(ports[0])
        process.kill()
        process.wait()
        servers = [one for one in (EmbeddedPostgres(data).pid, EmbeddedValkey(data).pid) if one is not None]
        assert len(servers) == 2
        assert stopped(data) == (0, "backline: stopped: Valkey, PostgreSQL\n")
        until(lambda: not any(alive(pid) for pid in servers))
    assert stopped(data) == (0, "backline: nothing was left running\n")
    assert stopped(scratch / "nowhere") == (REFUSED, f"backline: There is no data folder {scratch / 'nowhere'}.\n")


def test_a_log_that_is_taken_away_ends_no_studio(scratch: Path, ports: tuple[int, int]) -> None:
    """An app that cannot be started again for its log is told about, and comes when there is a log again."""
    data = scratch / "logs"
    with launcher(data, ports) as process:
        ready(process, ports)
        log = data / "log" / "api.log"
        log.unlink()
        log.mkdir()
        os.kill(children(process.pid)["api"], signal.SIGKILL)
        assert process.stderr is not None
        while "cannot be written" not in process.stderr.readline():
            assert process.poll() is None
        assert serves(ports[1])
        log.rmdir()
        until(lambda: serves(ports[0]), 60)


def test_a_second_signal_hurries(scratch: Path, ports: tuple[int, int]) -> None:
    """An app that hangs is not waited for after a second Ctrl-C."""
    with launcher(scratch / "run", ports) as process:
        ready(process, ports)
        os.kill(children(process.pid)["api"], signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "stopping" not in process.stderr.readline():
            assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert time.monotonic() - began < PATIENCE / 2
    assert process.returncode == 0


def test_the_secret_is_made_once_and_private(scratch: Path) -> None:
    """The second start signs with the secret of the first, which nobody else can read."""
    from launch.place import tickets_secret

    data = scratch / "secret"
    data.mkdir()
    assert tickets_secret(data) == tickets_secret(data)
    assert (data / "tickets.secret").stat().st_mode & 0o777 == 0o600
