"""Real Yjs documents for tests: a Node process that holds them, driven over JSON lines (see peer.mjs)."""

import math
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.node import answer, install, program

FOLDER = Path(__file__).parent

Change = Sequence[object]


def encoded(value: object) -> object:
    """JSON with the stand-ins of peer.mjs for what JSON cannot say."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$": "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")}
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    return [encoded(item) for item in value] if isinstance(value, list | tuple) else value


class YjsError(Exception):
    """What JavaScript threw."""


class Yjs:
    """The Node process; `open` gives one document of it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._names = count()

    def open(self, client_id: int) -> "YjsPeer":
        """A fresh document under this client id."""
        return YjsPeer(self, str(next(self._names)), client_id)

    def ask(self, op: str, doc: str, **rest: object) -> dict[str, Any]:
        found = answer(self._process, encoded({"op": op, "doc": doc, **rest}))
        if "error" in found:
            raise YjsError(found["error"])
        return found


class YjsPeer:
    """One Y.Doc with every root and an undo manager that tracks its own edits."""

    def __init__(self, yjs: Yjs, name: str, client_id: int) -> None:
        self._yjs = yjs
        self._name = name
        self.client_id = client_id
        yjs.ask("open", name, client=client_id)

    def apply(self, update: bytes) -> None:
        self._yjs.ask("apply", self._name, update=update.hex())

    def edit(self, *changes: Change) -> bytes:
        """One transaction; returns its update, b"" if nothing changed."""
        return self._update("edit", changes=list(changes))

    def undo(self) -> bytes:
        return self._update("undo")

    def redo(self) -> bytes:
        return self._update("redo")

    def hold(self, ms: int) -> None:
        """Edits closer together than this are one undo step."""
        self._yjs.ask("hold", self._name, ms=ms)

    def state(self) -> bytes:
        return bytes.fromhex(self._yjs.ask("state", self._name)["state"])

    def update(self, since: bytes | None = None) -> bytes:
        return self._update("update", since=since.hex() if since else None)

    def json(self) -> dict[str, Any]:
        """Every root as toJSON gives it."""
        found: dict[str, Any] = self._yjs.ask("json", self._name)["json"]
        return found

    def close(self) -> None:
        self._yjs.ask("close", self._name)

    def _update(self, op: str, **rest: object) -> bytes:
        return bytes.fromhex(self._yjs.ask(op, self._name, **rest)["update"])


@contextmanager
def running() -> Iterator[Yjs]:
    """A Node process with the peer in it."""
    install(FOLDER, "yjs")
    with program(FOLDER, "peer.mjs") as process:
        yield Yjs(process)
