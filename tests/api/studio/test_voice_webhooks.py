"""What the server's webhooks change: repeated, in the wrong order, forged, lost."""

from uuid import UUID

import httpx
from livekit.protocol.models import ParticipantInfo

from persistence.pool import Pool
from tests.api.people import Meet, code
from tests.api.studio.voice_room import HOOK, enter, inside, room, tell
from tests.voice.fake_livekit import FakeLiveKit


async def test_a_webhook_heard_twice_counts_once(meet: Meet, livekit: FakeLiveKit, pool: Pool) -> None:
    """Its event id is remembered: a join repeated after the leave brings nobody back."""
    ann = await meet("Ann")
    project = await ann.project()
    person = livekit.connect((await ann.post(f"{project}/voice")).json()["token"])
    await tell(ann.http, livekit, "participant_joined", project, person, id="EV_once", at=1000)
    await tell(ann.http, livekit, "room_finished", project, id="EV_over", at=1010)
    assert await inside(pool, project) == set()
    again = ParticipantInfo(sid="PA_other", identity=ann.id, metadata=person.metadata)
    await tell(ann.http, livekit, "participant_joined", project, again, id="EV_once", at=2000)
    assert await inside(pool, project) == set()
    await tell(ann.http, livekit, "participant_joined", project, again, id="EV_twice", at=2000)
    assert await inside(pool, project) == {ann.id}


async def test_webhooks_in_the_wrong_order(meet: Meet, livekit: FakeLiveKit, pool: Pool) -> None:
    """A leave before its join, a join before the end of its room: the stamps decide, not the arrival."""
    ann = await meet("Ann")
    project = await ann.project()
    person = livekit.connect((await ann.post(f"{project}/voice")).json()["token"])
    await tell(ann.http, livekit, "participant_left", project, person, at=1005)
    await tell(ann.http, livekit, "participant_joined", project, person, at=1000)
    assert await inside(pool, project) == set()
    other = ParticipantInfo(sid="PA_late", identity=ann.id, metadata=person.metadata)
    await tell(ann.http, livekit, "room_finished", project, at=2000)
    await tell(ann.http, livekit, "participant_joined", project, other, at=1990)
    assert await inside(pool, project) == set()


async def test_the_second_tab_replaces_the_first(meet: Meet, livekit: FakeLiveKit, pool: Pool) -> None:
    """The new session joins before the old one is said to have left: the person stays."""
    ann = await meet("Ann")
    project = await ann.project()
    first = await enter(ann, project, livekit)
    await enter(ann, project, livekit)
    await tell(ann.http, livekit, "participant_left", project, first)
    assert await inside(pool, project) == {ann.id}


async def test_a_forged_webhook_changes_nothing(meet: Meet, livekit: FakeLiveKit, pool: Pool) -> None:
    """Unsigned, for other bytes, or for another provider."""
    ann = await meet("Ann")
    project = await ann.project()
    who = ParticipantInfo(sid="PA_forged", identity=ann.id)
    headers, body = livekit.webhook("participant_joined", room(project), who)
    assert code(await ann.http.post(HOOK, content=body)) == (401, "bad_webhook")
    assert code(await ann.http.post(HOOK, content=body + b" ", headers=headers)) == (401, "bad_webhook")
    assert code(await ann.http.post("/api/voice/webhooks/daily", content=body, headers=headers)) == (404, "not_found")
    assert await inside(pool, project) == set()


async def test_a_webhook_of_another_deployment_is_taken_and_forgotten(
    http: httpx.AsyncClient, livekit: FakeLiveKit
) -> None:
    """Two deployments may share a server: what is not ours is no error, or it would be sent for ever."""
    await tell(http, livekit, "room_finished", f"/{UUID(int=5)}")


async def test_what_no_webhook_told_is_found(meet: Meet, livekit: FakeLiveKit, pool: Pool) -> None:
    """Lost webhooks are made up for when somebody looks: who is there appears, who is not goes."""
    ann = await meet("Ann")
    project = await ann.project()
    livekit.connect((await ann.post(f"{project}/voice")).json()["token"])
    assert [each["user"]["id"] for each in (await ann.get(f"{project}/voice")).json()["participants"]] == [ann.id]
    await pool.execute(
        "update voice_sessions set joined_at = now() - interval '1 minute' where user_id = $1", UUID(ann.id)
    )
    del livekit.people[room(project)][ann.id]
    assert (await ann.get(f"{project}/voice")).json()["participants"] == []
