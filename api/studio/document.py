"""The document as canonical JSON, from the committed journal."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.access import Standing, allowed_at_once
from api.answers import whole
from api.services import Given
from persistence.editing import read
from persistence.pool import Pool
from studio.canonical import canonical
from studio.roles import Action

router = APIRouter(tags=["studio"])

ReaderAtOnce = Annotated[Standing, Depends(allowed_at_once(Action.READ))]


@router.get("/api/projects/{project_id}/document", response_model=dict[str, dict[str, Any]])
async def show_document(standing: ReaderAtOnce, given: Given) -> Response:
    """Every root of the document: what is saved, not what somebody is about to save."""
    return await whole(await committed(given.pool, standing))


async def committed(pool: Pool, standing: Standing) -> dict[str, Any]:
    """The canonical form of what the journal holds now."""
    doc, _, _ = await read(pool, standing.project_id)
    return await asyncio.to_thread(canonical, doc)
