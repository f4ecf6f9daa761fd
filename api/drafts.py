"""What a draft would say: unsent work of another lineage, laid over the document as it is now."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from api.errors import ApiError
from persistence.editing import read
from persistence.pool import Pool
from studio.canonical_json import read_back

READERS_MAX: Final = 2
BUSY_SECONDS: Final = 5
"""When whoever finds all readers at work may ask again."""
SECONDS_MAX: Final = 15
"""Of one reader; it has 5 seconds of a processor (`api.draft_reader`), which it may have to share."""
ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Drafts:
    """Reads drafts, a few at a time: one takes a process of its own, and anybody may have brought it."""

    seats: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READERS_MAX))

    async def laid_over_live(self, pool: Pool, project_id: UUID, update: bytes) -> dict[str, Any]:
        """Canonical JSON of the draft merged with what is committed; nothing is written.

        Raises conflict if it cannot be read, drafts_busy if too many others are being read.
        """
        if self.seats.locked():
            raise ApiError("drafts_busy", retry_after_seconds=BUSY_SECONDS)
        async with self.seats:
            doc, _, _ = await read(pool, project_id)
            state = await asyncio.to_thread(doc.get_update)
            answer = await _asked(len(state).to_bytes(8, "big") + state + update)
        if answer is None:
            raise ApiError("conflict", "This draft has no content that could be shown or forked.")
        return await asyncio.to_thread(read_back, answer)


async def _asked(question: bytes) -> bytes | None:
    """The reader's answer, or None if it failed or took too long."""
    # No environment: the reader has no use for our secrets.
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.draft_reader", cwd=ROOT, env={}, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            answer, _ = await reader.communicate(question)
    except TimeoutError:
        return None
    finally:
        await _ended(reader)
    return answer if reader.returncode == 0 else None


async def _ended(reader: Process) -> None:
    if reader.returncode is None:
        reader.kill()
        await reader.wait()
