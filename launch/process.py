"""Starting programs: under another account, into a log file, and bound to our own life."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from launch.account import Account
from launch.errors import LaunchError

PR_SET_PDEATHSIG = 1  # prctl(2), Linux


REAP_SECONDS = 5.0
"""How long a server that was killed may take to be gone."""


def dies_with_us(farewell: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `farewell` to the child when its parent has died, even by kill -9."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def bind() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(farewell))
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return bind


def appending(log: Path) -> BinaryIO:
    """The log, open to be written behind what is there; a LaunchError says why it cannot be."""
    try:
        return log.open("ab")
    except OSError as error:
        raise LaunchError(f"The log {log} cannot be written: {error.strerror}.") from error


def run_to_end(
    account: Account,
    log: Path,
    argv: Sequence[str | Path],
    timeout: float = 90,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a program and return its exit code. Into a file, never a pipe: a daemon it starts would hold a pipe open."""
    with appending(log) as output:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,  # Ctrl-C must not stop half an initdb
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            timeout=timeout,
            env=environment,
            check=False,
        )
    return done.returncode


def start_detached(account: Account, log: Path, argv: Sequence[str | Path]) -> int:
    """Start a server that outlives us: its own session, a child of init, so neither Ctrl-C nor our death reaches it."""
    with appending(log) as output:
        return subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            check=False,
        ).returncode


def start_bound(
    account: Account, log: Path, argv: Sequence[str | Path], farewell: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a throw-away server that gets `farewell` when we die; a session of its own keeps Ctrl-C for us."""
    with appending(log) as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            preexec_fn=dies_with_us(farewell),  # noqa: PLW1509 - it only calls prctl
        )


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Wait for a server that no longer serves: a dead one that nobody has waited for still holds its locks."""
    if child is None:
        return
    try:
        child.wait(REAP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
