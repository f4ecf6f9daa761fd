"""The voice room of a project: who gets a token, who is there, who goes, and what webhooks change."""

import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web
from livekit.protocol.models import ParticipantInfo

from api.app import running
from api.settings import Settings
from persistence.pool import Pool
from presence.events import VoiceChanged
from tests.api.people import Meet, Musician, client_of, code, id_of, until
from tests.api.test_events import heard
from tests.voice.fake_livekit import FakeLiveKit, TwirpError
from voice.rooms import room_of
from voice.settings import VoiceSettings

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


async def test_a_token_as_the_role_allows(meet: Meet, livekit: FakeLiveKit) -> None:
    """Provider, address, room and an end minutes from now; owner, editor and commenter speak, a viewer listens."""
    ann = await meet("Ann")
    project = await ann.project()
    for who, role in [
        (ann, "owner"),
        *[(await meet(r, ann, project, r), r) for r in ("editor", "commenter", "viewer")],
    ]:
        token = (await who.post(f"{project}/voice")).json()
        assert set(token) == {"provider", "url", "token", "room", "expires_at"}
        assert (token["provider"], token["room"]) == ("livekit", room(project))
        claims = livekit.claims(token["token"])
        assert (claims["sub"], claims["metadata"]) == (who.id, f'{{"role": "{role}"}}')
        assert claims["video"]["canSubscribe"] is True
        assert claims["video"]["canPublish"] is (role != "viewer")
        assert 0 < claims["exp"] - time.time() <= 301


async def test_who_is_in_voice_is_seen_and_announced(meet: Meet, livekit: FakeLiveKit, redis_url: str) -> None:
    """After the webhook of a join the room lists them, and every studio may know; after the leave likewise."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    assert (await ann.get(f"{project}/voice")).json()["participants"] == []
    async with heard(redis_url, project) as first:
        await enter(ann, project, livekit)
        person = await enter(ben, project, livekit)
        shown = (await ben.get(f"{project}/voice")).json()
        assert {(each["user"]["id"], each["role"], each["muted"]) for each in shown["participants"]} == {
            (ann.id, "owner", False),
            (ben.id, "editor", False),
        }
        assert (shown["listen"], shown["speak"], shown["participants_max"]) == (True, True, 10)
        del livekit.people[room(project)][ben.id]
        await tell(ben.http, livekit, "participant_left", project, person, at=time.time() + 1)
        events = await first(3)
    both = tuple(sorted((UUID(ann.id), UUID(ben.id))))
    assert events == [
        VoiceChanged(id_of(project), (UUID(ann.id),)),
        VoiceChanged(id_of(project), both),
        VoiceChanged(id_of(project), (UUID(ann.id),)),
    ]


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


@pytest.mark.parametrize("role", ["viewer", None])
async def test_a_lost_role_is_a_lost_voice(meet: Meet, livekit: FakeLiveKit, role: str | None) -> None:
    """Whoever is removed from the project, or changes role, is out of voice within a second, and not back in by the old
    token."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    token = (await ben.post(f"{project}/voice")).json()["token"]
    await tell(ben.http, livekit, "participant_joined", project, livekit.connect(token))
    began = time.monotonic()
    member = f"{project}/members/{ben.id}"
    done = await (ann.patch(member, {"role": role}) if role else ann.delete(member))
    assert done.is_success
    await gone(livekit, ben, project)
    assert time.monotonic() - began < 1
    await tell(ben.http, livekit, "participant_joined", project, livekit.connect(token))
    await gone(livekit, ben, project)
    if role:
        fresh = await enter(ben, project, livekit)
        assert fresh.permission.can_publish is False
        assert ben.id in livekit.inside(room(project))


async def test_a_removal_is_not_forgotten_while_the_server_is_away(meet: Meet, livekit: FakeLiveKit) -> None:
    """The order waits in the database, and is carried out when the server answers again."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    await enter(ben, project, livekit)
    livekit.misbehaviour.append(web.json_response({"code": "unavailable", "msg": "x"}, status=503))
    await ann.delete(f"{project}/members/{ben.id}")

    async def tried() -> bool:
        return not livekit.misbehaviour

    await until(tried)
    assert ben.id in livekit.inside(room(project))

    async def out() -> bool:
        return ben.id not in livekit.inside(room(project))

    await until(out, 20)


async def test_a_deleted_project_is_silent(meet: Meet, livekit: FakeLiveKit) -> None:
    """Its room ends for everybody."""
    ann = await meet("Ann")
    project = await ann.project()
    await enter(ann, project, livekit)
    await ann.delete(project)

    async def over() -> bool:
        return room(project) not in livekit.rooms

    await until(over)


async def test_the_owner_mutes(meet: Meet, livekit: FakeLiveKit) -> None:
    """A muted member listens, also after coming in again with an old token or a new one; unmuted, they speak."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    old = (await ben.post(f"{project}/voice")).json()["token"]
    await enter(ben, project, livekit)

    def speaks() -> bool:
        return bool(livekit.people[room(project)][ben.id].permission.can_publish)

    async def silent() -> bool:
        return not speaks()

    assert speaks()
    seat = f"{project}/voice/participants/{ben.id}"
    assert (await ann.patch(seat, {"muted": True})).status_code == 204
    await until(silent)
    assert (await ann.get(f"{project}/voice")).json()["participants"][0]["muted"] is True
    await tell(ben.http, livekit, "participant_joined", project, livekit.connect(old))
    await until(silent)
    again = livekit.claims((await ben.post(f"{project}/voice")).json()["token"])
    assert again["video"]["canPublish"] is False
    await ann.patch(seat, {"muted": False})

    async def heard_again() -> bool:
        return speaks()

    await until(heard_again)


async def test_the_owner_removes(meet: Meet, livekit: FakeLiveKit) -> None:
    """They are out, get no token for a while, and an old one brings them in only to be removed again."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    old = (await ben.post(f"{project}/voice")).json()["token"]
    await enter(ben, project, livekit)
    assert (await ann.delete(f"{project}/voice/participants/{ben.id}")).status_code == 204
    await gone(livekit, ben, project)
    refused = await ben.post(f"{project}/voice")
    assert code(refused) == (403, "voice_removed")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    await tell(ben.http, livekit, "participant_joined", project, livekit.connect(old))
    await gone(livekit, ben, project)


async def test_anybody_may_leave_and_the_owner_ends(meet: Meet, livekit: FakeLiveKit) -> None:
    """Leaving is one's own and no ban; the owner's DELETE is the end for everybody."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    await enter(ann, project, livekit)
    for path in (f"{project}/voice", f"{project}/voice/participants/{ben.id}"):
        await enter(ben, project, livekit)
        assert (await ben.delete(path)).status_code == 204
        await gone(livekit, ben, project)
        assert ann.id in livekit.inside(room(project))
    assert code(await ben.delete(f"{project}/voice/participants/{ann.id}")) == (403, "forbidden")
    await ann.delete(f"{project}/voice")
    await gone(livekit, ann, project)
    assert (await ann.get(f"{project}/voice")).json()["participants"] == []


async def test_what_the_owner_decides_is_announced(meet: Meet, livekit: FakeLiveKit, redis_url: str) -> None:
    """Every open studio may look again when somebody is muted or gets their voice back, and when the room is ended."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    await enter(ben, project, livekit)
    there = VoiceChanged(id_of(project), (UUID(ben.id),))
    async with heard(redis_url, project) as first:
        for muted in (True, False):
            await ann.patch(f"{project}/voice/participants/{ben.id}", {"muted": muted})
        await ann.delete(f"{project}/voice")
        assert await first(3) == [there, there, VoiceChanged(id_of(project), ())]


async def test_viewers_listen_if_the_project_lets_them(meet: Meet, livekit: FakeLiveKit) -> None:
    """When it no longer does they are out and get no token; editors stay."""
    ann = await meet("Ann")
    project = await ann.project()
    vic = await meet("Vic", ann, project, "viewer")
    await enter(ann, project, livekit)
    await enter(vic, project, livekit)
    changed = await ann.patch(f"{project}/voice", {"viewers_listen": False})
    assert changed.json()["viewers_listen"] is False
    await gone(livekit, vic, project)
    assert code(await vic.post(f"{project}/voice")) == (403, "forbidden")
    assert (await vic.get(f"{project}/voice")).json()["listen"] is False
    assert ann.id in livekit.inside(room(project))
    await ann.patch(f"{project}/voice", {"viewers_listen": True})
    await enter(vic, project, livekit)


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


async def test_a_server_that_fails_is_said_to(meet: Meet, livekit: FakeLiveKit) -> None:
    """503 and no guess; the next call is fine."""
    ann = await meet("Ann")
    project = await ann.project()
    broken = {"code": "internal", "msg": "x"}
    livekit.misbehaviour.append(web.json_response(broken, status=500))
    assert code(await ann.post(f"{project}/voice")) == (503, "voice_unavailable")
    livekit.misbehaviour.append(web.json_response(broken, status=500))
    assert code(await ann.get(f"{project}/voice")) == (503, "voice_unavailable")
    await enter(ann, project, livekit)


async def test_the_room_has_a_limit(meet: Meet, livekit: FakeLiveKit) -> None:
    """Ten by default; the provider keeps it."""
    ann = await meet("Ann")
    project = await ann.project()
    await ann.post(f"{project}/voice")
    livekit.people[room(project)] = {str(n): ParticipantInfo(identity=str(n)) for n in range(10)}
    token = (await ann.post(f"{project}/voice")).json()["token"]
    with pytest.raises(TwirpError, match="resource_exhausted"):
        livekit.connect(token)


async def test_without_keys_there_is_no_voice(settings: Settings, meet: Meet) -> None:
    """Every route says so with 503 voice_unconfigured, and the rest of the app does not care."""
    ann = await meet("Ann")
    project = await ann.project()
    silent = settings.model_copy(update={"voice": VoiceSettings()})
    async with running(silent) as app, client_of(app) as http:
        quiet = Musician(http, ann.user, ann.token)
        seat = f"{project}/voice/participants/{ann.id}"
        asked = [
            await quiet.post(f"{project}/voice"),
            await quiet.get(f"{project}/voice"),
            await quiet.patch(f"{project}/voice", {"viewers_listen": True}),
            await quiet.delete(f"{project}/voice"),
            await quiet.patch(seat, {"muted": True}),
            await quiet.delete(seat),
            await http.post(HOOK, content=b"{}"),
        ]
        assert {code(answer) for answer in asked} == {(503, "voice_unconfigured")}
        assert (await quiet.get(project)).status_code == 200
