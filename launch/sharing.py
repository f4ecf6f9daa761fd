"""Several processes share one server: who starts it, and who, being the last one out, stops it.

Two flocks beside the server's folder. `boot` is held alone while starting or stopping. `users` is held shared by
everyone who uses the server; whoever leaves and can get it alone was the last. The kernel drops flocks of a killed
process, so the count cannot go stale.
"""

import fcntl
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from launch.errors import LaunchError


class SharedServer(ABC):
    """A server that runs while the context is open in any process; its locks stand beside `folder`."""

    def __init__(self, folder: Path) -> None:
        self._boot = folder.with_name(f"{folder.name}.boot.lock")
        self._users = folder.with_name(f"{folder.name}.users.lock")
        self._joined: int | None = None

    @abstractmethod
    def _start(self) -> None:
        """Start it unless it serves. Called while booting; a failure is a LaunchError."""

    @abstractmethod
    def _stop(self) -> None:
        """Stop it if it runs. Called while booting, by the last one out."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves, cheaply."""

    def __enter__(self) -> Self:
        with self._booting():
            self._joined = _open(self._users)
            try:
                fcntl.flock(self._joined, fcntl.LOCK_SH)
                self._start()
            except BaseException:
                self._leave()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._booting():
            if self._leave():
                self._stop()

    def ensure(self) -> None:
        """Start it again if it was killed."""
        with self._booting():
            self._start()

    def stop_unused(self) -> bool:
        """Stop it if nobody uses it, as when all its users were killed; false if somebody does."""
        with self._booting():
            self._joined = _open(self._users)
            if not self._leave():
                return False
            self._stop()
            return True

    @contextmanager
    def _booting(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        lock = _open(self._boot)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _leave(self) -> bool:
        """We are no user any more; true if we were the last."""
        lock, self._joined = self._joined, None
        if lock is None:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(lock)


def _open(lock: Path) -> int:
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LaunchError(f"The data folder {lock.parent} cannot be used: {error.strerror}.") from error
