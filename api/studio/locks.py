"""Track locks: for at most ten minutes at a time nobody else's changes to a track last. The owner may break them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import Field

from api.access import RESTRICTED, Standing, allowed
from api.edits import edited, now_ms
from api.errors import ApiError
from api.services import Unit
from api.shapes import Body, Reference, TrackLock
from studio.locks import LOCK_MS_MAX, lock_track, unlock_track
from studio.restriction import reaches
from studio.roles import Action, may

SECONDS_MAX: Final = LOCK_MS_MAX // 1000

router = APIRouter(prefix="/api/projects/{project_id}/tracks/{track_id}/lock", tags=["locks"])

Holder = Annotated[Standing, Depends(allowed(Action.LOCK_OWN))]


class LockTime(Body):
    """For how long, from now."""

    seconds: Annotated[int, Field(ge=1, le=SECONDS_MAX)] = SECONDS_MAX


@router.post("")
async def hold_track(track_id: Reference, standing: Holder, work: Unit, body: LockTime | None = None) -> TrackLock:
    """Locks a track, or holds it for longer. What others change on it meanwhile is undone as it comes."""
    if standing.restriction is not None and not reaches(standing.restriction, track_id):
        raise ApiError("forbidden", RESTRICTED, only=standing.restriction.only.value)
    user, now, ms = str(standing.caller.id), now_ms(), 1000 * (body or LockTime()).seconds
    done = await edited(work, standing, "lock", lambda doc: lock_track(doc, track_id, user, now, ms))
    return TrackLock(track=track_id, user=done.result.user, until=done.result.until)


@router.delete("", status_code=204)
async def release_track(track_id: Reference, standing: Holder, work: Unit) -> None:
    """Gives a track back; the project's owner may end anybody's lock."""
    user, breaks = str(standing.caller.id), may(standing.role, Action.LOCK_BREAK)
    await edited(work, standing, "lock", lambda doc: unlock_track(doc, track_id, user, now_ms(), breaks=breaks))
