"""The embedded PostgreSQL: shared, and safe against kill -9 of whoever uses it and of itself."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from launch.errors import LaunchError
from launch.postgres import EmbeddedPostgres
from tests.launch.support import ROOT, alive, first_line, until, user_of_postgres


async def query(dsn: str, statement: str) -> object:
    """The first value of a statement's first row."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_processes_share_one_server_and_the_last_stops_it(scratch: Path) -> None:
    """Four processes racing a first start get the same server; it runs until the last of them has left."""
    with ExitStack() as stack:
        users = [stack.enter_context(user_of_postgres(scratch / "race")) for _ in range(4)]
        answers = [first_line(user) for user in users]
        assert len({tuple(answer) for answer in answers}) == 1
        pid = int(answers[0][0])
        for user in users[:-1]:
            user.communicate()
        assert alive(pid)
        users[-1].communicate()
    assert not alive(pid)


async def test_the_next_user_attaches_after_kill_9_of_the_owner(scratch: Path) -> None:
    """kill -9 of the process that started the server leaves it running with its data, and the next one stops it."""
    data = scratch / "orphan"
    with user_of_postgres(data) as owner:
        pid, dsn = first_line(owner)
        await query(dsn, "create table kept as select 7 as value")
        owner.kill()
        owner.wait()
    assert alive(int(pid))
    with EmbeddedPostgres(data) as server:
        assert server.pid == int(pid)
        assert await query(server.dsn, "select value from kept") == 7
    assert not alive(int(pid))


async def test_kill_9_of_postgres_loses_no_commit(scratch: Path) -> None:
    """After kill -9 of the postmaster `ensure` brings it back with everything that was committed."""
    with EmbeddedPostgres(scratch / "killed") as server:
        await query(server.dsn, "create table kept as select 7 as value")
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not server.answers())
        server.ensure()
        assert server.pid != pid
        assert await query(server.dsn, "select value from kept") == 7


async def test_a_folder_may_have_any_name(scratch: Path) -> None:
    """Nothing in it is read by a shell: the data is kept where it says, and is found there again."""
    data = scratch / """la $HOME "and" `id` \\ it's"""
    for statement in ("create table kept as select 7 as value", "select value from kept"):
        with EmbeddedPostgres(data) as server:
            said = await query(server.dsn, statement)
    assert said == 7
    assert len(list(data.glob("pg[0-9][0-9]/PG_VERSION"))) == 1


def test_a_throw_away_server_dies_with_its_owner(scratch: Path) -> None:
    """A bound server is gone soon after kill -9 of the process that started it."""
    script = "import sys\nfrom pathlib import Path\nfrom launch.postgres import EmbeddedPostgres\n"
    script += "with EmbeddedPostgres(Path(sys.argv[1]), bound=True) as s: print(s.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(scratch / "bound")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        pid = int(first_line(owner)[0])
        assert alive(pid)
        owner.kill()
        until(lambda: not alive(pid))


async def test_a_removed_data_folder_is_made_anew(scratch: Path) -> None:
    """A server left over without its files does not stand in the way of a new one in the same place."""
    data = scratch / "removed"
    with user_of_postgres(data) as owner:
        first_line(owner)
        owner.kill()
        owner.wait()
    shutil.rmtree(data)
    with EmbeddedPostgres(data) as server:
        assert await query(server.dsn, "select 1") == 1


def test_folders_above_the_data_are_left_alone(scratch: Path) -> None:
    """No folder above the data folder changes its mode or owner."""
    parent = scratch / "parent"
    (parent / "inner").mkdir(parents=True)
    parent.chmod(0o751)
    before = [(step, step.stat().st_mode, step.stat().st_uid) for step in (parent / "inner").parents]
    with EmbeddedPostgres(parent / "inner" / "data"):
        pass
    assert before == [(step, step.stat().st_mode, step.stat().st_uid) for step in (parent / "inner").parents]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_closed_folder_above_is_refused_and_left_closed(scratch: Path) -> None:
    """Root below a 0700 folder is told to choose another place, and the folder stays 0700."""
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(LaunchError, match="cannot be reached by the unprivileged user"):
        EmbeddedPostgres(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_an_empty_closed_folder_is_ours(scratch: Path) -> None:
    """Root may name a fresh 0700 folder as the data folder; the server in it runs as somebody else."""
    empty = scratch / "empty"
    empty.mkdir(mode=0o700)
    with EmbeddedPostgres(empty) as server:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_a_broken_cluster_is_named_in_one_sentence(scratch: Path) -> None:
    """A cluster without its control file is refused with PostgreSQL's own reason, at once and in one line."""
    data = scratch / "broken"
    with EmbeddedPostgres(data):
        pass
    (cluster,) = data.glob("pg[0-9][0-9]")
    (cluster / "global" / "pg_control").write_bytes(b"nonsense")
    with pytest.raises(LaunchError, match="does not start on") as failure, EmbeddedPostgres(data):
        pass
    assert "\n" not in str(failure.value)


def test_a_folder_that_is_no_cluster_is_named_in_one_sentence(scratch: Path) -> None:
    """A folder of something else in the cluster's place is refused, and nothing in it changes."""
    data = scratch / "foreign"
    with EmbeddedPostgres(data):
        pass
    (cluster,) = data.glob("pg[0-9][0-9]")
    cluster.rename(data / "aside")
    cluster.mkdir()
    if os.geteuid() == 0:
        owner = (data / "aside").stat()
        os.chown(cluster, owner.st_uid, owner.st_gid)
    (cluster / "song.txt").write_text("la")
    with pytest.raises(LaunchError, match=re.escape(str(cluster))), EmbeddedPostgres(data):
        pass
    assert [entry.name for entry in cluster.iterdir()] == ["song.txt"]


def test_a_folder_in_place_of_the_log_is_named_in_one_sentence(scratch: Path) -> None:
    """A log that cannot be written is refused, and no server is left."""
    log = scratch / "unwritable" / "log" / "postgres.log"
    log.mkdir(parents=True)
    refusal = f"The log {log} cannot be written: Is a directory"
    with pytest.raises(LaunchError, match=refusal), EmbeddedPostgres(scratch / "unwritable"):
        pass


def test_a_file_as_data_folder_is_named_in_one_sentence(scratch: Path) -> None:
    """A file where the data folder should be is refused."""
    (scratch / "file").write_text("")
    with pytest.raises(LaunchError, match="cannot be used: Not a directory"):
        EmbeddedPostgres(scratch / "file")
