"""The Dockerfile: what it copies is there, and enough to run the apps from."""

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from launch.app import answers_ready
from tests.collab_server.peer import until
from tests.deploy.support import DEPLOY, ROOT

STAGE = re.compile(r"^FROM (\S+) AS (\w+)$")
COPY = re.compile(r"^COPY (?!--from)(.+) (\S+)$")


def stages() -> dict[str, tuple[str, list[str]]]:
    """For each stage what it stands on, and what it copies from the project."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if stage := STAGE.match(line):
            name = stage[2]
            found[name] = (stage[1], [])
        elif copy := COPY.match(line):
            found[name][1].extend(copy[1].split())
    return found


def copied(stage: str) -> list[str]:
    """Everything of the project that is in the image of a stage."""
    below, own = stages()[stage]
    return [*(copied(below) if below in stages() else []), *own]


def test_what_is_copied_is_there() -> None:
    """Every path that the Dockerfile copies exists."""
    paths = [path for _, own in stages().values() for path in own]
    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_is_copied_is_not_ignored() -> None:
    """The context holds what is copied: the ignore file lets each of these paths in."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    for path in (path for _, own in stages().values() for path in own):
        assert any(path == one or path.startswith(f"{one}/") for one in let_in), path


@pytest.mark.parametrize("module", ["collab_server", "api", "persistence.migrate"])
async def test_an_image_has_what_its_app_imports(module: str, scratch: Path, app_environment: dict[str, str]) -> None:
    """From a folder with just the image's packages the app starts, becomes ready, and stops with exit code 0."""
    image = "collab_server" if module == "collab_server" else "api"
    folder = scratch / f"image-{module}"
    for path in copied(image):
        shutil.copytree(ROOT / path, folder / path)
    environment = {**app_environment, "PYTHONPATH": str(folder)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, cwd=folder, env=environment)
    if module != "persistence.migrate":
        port = int(environment["COLLAB__PORT" if module == "collab_server" else "API__PORT"])
        await until(lambda: answers_ready(port), seconds=30)
        process.terminate()
    async with asyncio.timeout(30):
        assert await process.wait() == 0
