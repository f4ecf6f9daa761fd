"""Tickets: what a studio shows the collab server to open one project's document, good for a few minutes."""

import time
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter

from api.access import Reader, Standing
from api.services import Given, Unit, Work
from api.shapes import AnyRole, Shape, User
from api.studio.members import Narrowing, narrowing
from presence.principal import Principal
from presence.tickets import mint
from studio.plans import PLACES, Plan

SELECT_PLACES: Final = """
with plan as (
    select coalesce(o.plan, $2) as name from projects p join users o on o.id = p.owner_id where p.id = $1
), present as (
    select distinct p.user_id, p.role = 'viewer' as looks_on
      from collaboration_sessions s
      join collaboration_participants p on p.session_id = s.id and p.left_at is null
     where s.project_id = $1 and s.ended_at is null and exists (select from plan where name is not null)
)
select plan.name, count(*) filter (where not looks_on) as taken, count(*) filter (where looks_on) as viewers
  from plan left join present on true
 where plan.name is not null
 group by plan.name
"""

router = APIRouter(tags=["studio"])


class Places(Shape):
    """How many people the owner's plan lets play at once, and how many do. Who only looks on is counted apart."""

    plan: Literal["solo", "band", "studio"]
    max: int
    taken: int
    viewers: int


class Ticket(Shape):
    """Connect to `ws_url` with `token=<ticket>` and `epoch=<epoch>` before `expires_at`.

    `restriction`: what an editor may change, null for everything. `places`: null where no plan counts people; when all
    are taken, the connection is refused (1013) until somebody leaves.
    """

    ticket: str
    role: AnyRole
    restriction: Narrowing | None
    ws_url: str
    expires_at: datetime
    epoch: int
    user: User
    places: Places | None


@router.post("/api/projects/{project_id}/ticket")
async def mint_ticket(standing: Reader, work: Unit, given: Given) -> Ticket:
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
        places=await _places(work, standing.project_id, given.settings.plans.default),
    )


async def _places(work: Work, project_id: UUID, default: Plan | None) -> Places | None:
    row = await work.connection.fetchrow(SELECT_PLACES, project_id, default)
    if row is None:
        return None
    return Places(plan=row["name"], max=PLACES[row["name"]], taken=row["taken"], viewers=row["viewers"])


def _principal(standing: Standing, project_id: UUID) -> Principal:
    caller = standing.caller
    return Principal(caller.id, caller.name, caller.color, standing.role, project_id, standing.credited)
