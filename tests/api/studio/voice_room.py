"""People in a project's voice room, and the webhooks by which the server tells of them."""

from typing import Any

import httpx
from livekit.protocol.models import ParticipantInfo

from persistence.pool import Pool
from tests.api.people import Musician, id_of, until
from tests.voice.fake_livekit import FakeLiveKit
from voice.rooms import room_of

HOOK = "/api/voice/webhooks/livekit"


def room(project: str) -> str:
    return room_of(id_of(project))


async def enter(who: Musician, project: str, livekit: FakeLiveKit) -> ParticipantInfo:
    """They ask for a token and come in with it; the server's webhook is heard."""
    asked = await who.post(f"{project}/voice")
    assert asked.status_code == 200, asked.text
    person = livekit.connect(asked.json()["token"])
    await tell(who.http, livekit, "participant_joined", project, person)
    return person


async def tell(
    http: httpx.AsyncClient,
    livekit: FakeLiveKit,
    event: str,
    project: str,
    who: ParticipantInfo | None = None,
    **rest: Any,
) -> httpx.Response:
    """A webhook of the server."""
    headers, body = livekit.webhook(event, room(project), who, **rest)
    answer = await http.post(HOOK, content=body, headers=headers)
    assert answer.status_code == 204, answer.text
    return answer


async def inside(pool: Pool, project: str) -> set[str]:
    """Who is there by the record, without asking the provider."""
    statement = "select user_id from voice_sessions where project_id = $1 and left_at is null"
    return {str(row["user_id"]) for row in await pool.fetch(statement, id_of(project))}


async def gone(livekit: FakeLiveKit, who: Musician, project: str) -> None:
    """Waits until the server has been told to remove them."""

    async def away() -> bool:
        return who.id not in livekit.inside(room(project))

    await until(away, 5)
