"""The whole document to take away: what any Yjs program reads."""

import asyncio
import unicodedata
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.access import Standing, allowed_at_once
from api.services import Given
from persistence.editing import read
from studio.roles import Action

MEDIA_TYPE: Final = "application/octet-stream"
SUFFIX: Final = ".yjs"
NAMELESS: Final = "project"
STEM_BYTES_MAX: Final = 200
"""As UTF-8: file systems take 255."""
FORBIDDEN: Final = frozenset('/\\:*?"<>|')
"""What some file system or the header itself would read as something else."""

router = APIRouter(tags=["studio"])

Taker = Annotated[Standing, Depends(allowed_at_once(Action.EXPORT))]


@router.get(
    "/api/projects/{project_id}/export",
    response_class=Response,
    responses={200: {"description": "One Yjs update.", "content": {MEDIA_TYPE: {}}}},
)
async def export_project(standing: Taker, given: Given) -> Response:
    """The document as one Yjs update (V1), from the committed journal: a file for those who leave with their work."""
    doc, _, _ = await read(given.pool, standing.project_id)
    update = await asyncio.to_thread(doc.get_update)
    headers = {"Content-Disposition": disposition(standing.project_name)}
    return Response(update, media_type=MEDIA_TYPE, headers=headers)


def disposition(name: str) -> str:
    """An attachment named after a project (RFC 6266): the name itself, and one in ASCII for those who read no other."""
    stem = _stem(name)
    plain = _stem(unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().replace("%", "_"))
    attachment = f'attachment; filename="{plain}{SUFFIX}"'
    return attachment if plain == stem else f"{attachment}; filename*=UTF-8''{quote(stem + SUFFIX, safe='')}"


def _stem(name: str) -> str:
    """The name as part of a file's name: no separators, no control characters, no dots at either end."""
    clean = "".join("_" if letter in FORBIDDEN or not letter.isprintable() else letter for letter in name)
    return clean.encode()[:STEM_BYTES_MAX].decode(errors="ignore").strip(". ") or NAMELESS
