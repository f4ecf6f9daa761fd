"""Tickets: what a studio shows the collab server to open one project's document, good for a few minutes."""

import time
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter

from api.access import Reader, Standing
from api.services import Given
from api.shapes import AnyRole, Shape, User
from api.studio.members import Narrowing, narrowing
from presence.principal import Principal
from presence.tickets import mint

router = APIRouter(tags=["studio"])


class Ticket(Shape):
    """Connect to `ws_url` with `token=<ticket>` and `epoch=<epoch>` before `expires_at`.

    `restriction`: what an editor may change, null for everything.
    """

    ticket: str
    role: AnyRole
    restriction: Narrowing | None
    ws_url: str
    expires_at: datetime
    epoch: int
    user: User


@router.post("/api/projects/{project_id}/ticket")
async def mint_ticket(standing: Reader, given: Given) -> Ticket:
    """A ticket with the caller's role as it is now."""
    told, now = given.settings.tickets, int(time.time())
    ticket = mint(_principal(standing, standing.project_id), told.secret.get_secret_value(), now, told.ttl_seconds)
    return Ticket(
        ticket=ticket,
        role=standing.role.value,
        restriction=narrowing(standing.restriction),
        ws_url=f"{given.settings.collab.public_url}/y/{standing.project_id}",
        expires_at=datetime.fromtimestamp(now + told.ttl_seconds, UTC),
        epoch=standing.epoch,
        user=standing.caller.shape(),
    )


def _principal(standing: Standing, project_id: UUID) -> Principal:
    caller = standing.caller
    return Principal(caller.id, caller.name, caller.color, standing.role, project_id, standing.credited)
