"""What voice providers tell us: believed only with their signature over the body byte for byte, acted on once."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.errors import ApiError
from api.services import Given, unit
from api.voice import now
from api.voice_record import record

router = APIRouter(tags=["voice"])


@router.post("/api/voice/webhooks/{provider}", status_code=204)
async def hear_webhook(provider: Annotated[str, Path(max_length=40)], request: Request, given: Given) -> None:
    """For the voice provider alone: joined, left, room finished."""
    open_provider = given.voice.provider
    if provider != open_provider.name:
        raise ApiError("not_found")
    event = open_provider.read(request.headers, await request.body(), now())
    async with unit(given) as work:
        await record(work, given.voice, event)
    given.voice.wake()
