"""The voice room of a project: who gets a token, who is there, how many, and what is said without a server."""

import time
from uuid import UUID

import pytest
from aiohttp import web
from livekit.protocol.models import ParticipantInfo

from api.app import running
from api.settings import Settings
from presence.events import VoiceChanged
from tests.api.people import Meet, Musician, client_of, code, id_of
from tests.api.studio.voice_room import HOOK, enter, room, tell
from tests.api.test_events import heard
from tests.voice.fake_livekit import FakeLiveKit, TwirpError
from voice.settings import VoiceSettings


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
