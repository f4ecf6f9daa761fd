"""What a draft would say: unsent work of another lineage, laid over the document as it is now."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from api.errors import ApiError
from persistence.editing import open_stored
from persistence.journal import loaded
from persistence.journal_sql import LOAD
from persistence.pool import Connection

SECONDS_MAX: Final = 30
ROOT: Final = Path(__file__).resolve().parents[1]


async def laid_over_live(connection: Connection, project_id: UUID, update: bytes) -> dict[str, Any]:
    """Canonical JSON of the draft merged with what is committed; nothing is written.

    It is read in another process (see `api.draft_reader`). Raises conflict if it cannot be read.
    """
    stored = await loaded(project_id, await connection.fetchrow(LOAD, project_id))
    doc = await asyncio.to_thread(open_stored, project_id, stored)
    state = doc.get_update()
    answer = await _asked(len(state).to_bytes(8, "big") + state + update)
    if answer is None:
        raise ApiError("conflict", "This draft has no content that could be shown or forked.")
    content: dict[str, Any] = await asyncio.to_thread(json.loads, answer)
    return content


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
