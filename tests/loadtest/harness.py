"""The load test as its users start it: a command, an exit code, a JSON file."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


@dataclass(slots=True, frozen=True)
class Result:
    """What a run left: `said` is standard output, `told` standard error."""

    code: int
    said: str
    told: str
    numbers: dict[str, Any]
    page: str


async def loadtest(folder: Path, *arguments: str) -> Result:
    """Run `python -m loadtest` with JSON and HTML output below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test may wait for its own disk
    numbers, page = folder / "run.json", folder / "run.html"
    command = [sys.executable, "-m", "loadtest", *arguments, "--json", str(numbers), "--html", str(page)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        said, told = await process.communicate()
    found = json.loads(numbers.read_text()) if numbers.exists() else {}
    shown = page.read_text() if page.exists() else ""
    return Result(process.returncode or 0, said.decode(), told.decode(), found, shown)
