"""LiveKit's own Node SDK for tests: a second opinion on tokens and webhooks (see peer.mjs)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.node import answer, install, program

FOLDER = Path(__file__).parent


class SdkError(Exception):
    """What the SDK threw."""


class Sdk:
    """The Node process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def verify(self, key: str, secret: str, token: str) -> dict[str, Any]:
        """The claims of a token. Raises SdkError if the SDK refuses it."""
        claims: dict[str, Any] = self._ask(op="verify", key=key, secret=secret, token=token)["claims"]
        return claims

    def sign(self, key: str, secret: str, body: str) -> str:
        """The Authorization of a webhook with this body."""
        return str(self._ask(op="sign", key=key, secret=secret, body=body)["token"])

    def _ask(self, **question: str) -> dict[str, Any]:
        said = answer(self._process, question)
        if "error" in said:
            raise SdkError(said["error"])
        return said


@contextmanager
def running() -> Iterator[Sdk]:
    """A Node process with the SDK in it; its pinned packages are installed once."""
    install(FOLDER, "livekit-server-sdk")
    with program(FOLDER, "peer.mjs") as process:
        yield Sdk(process)
