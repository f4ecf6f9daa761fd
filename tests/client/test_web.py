"""The npm package `@backline/client`: its own tests, run by the Node that came as a Python package."""

import asyncio

import pytest

from tests.client.musician import WEB
from tests.node import NODE

SECONDS_MAX = 120


async def node(*arguments: str) -> tuple[int | None, str]:
    """Exit code and output of Node in client/web."""
    process = await asyncio.create_subprocess_exec(
        str(NODE), *arguments, cwd=WEB, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(SECONDS_MAX):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.usefixtures("packages")
async def test_the_client_package_passes_its_own_tests() -> None:
    """Edits, undo, the saved light, and the vectors that hold its reading of a document equal to the server's."""
    code, output = await node("--test", "test/**/*.test.ts")
    assert code == 0, output
    assert "fail 0" in output


def test_the_lock_names_no_registry() -> None:
    """The packages come from whichever registry the machine uses: the lock pins versions and hashes, not a host."""
    lock = (WEB / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock
