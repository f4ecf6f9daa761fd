"""LiveKit: what our tokens allow, what we ask the server, and which webhooks we believe."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import jwt
import pytest
from aiohttp import web
from livekit.protocol.models import ParticipantInfo
from pydantic import SecretStr

from studio.roles import Role
from tests.livekit_peer.peer import Sdk, SdkError, running
from tests.voice.fake_livekit import KEY, SECRET, FakeLiveKit, TwirpError, fake_livekit, signature
from voice.errors import BadWebhook, Misconfigured, NotThere, Unavailable
from voice.events import Finished, Irrelevant, Joined, Left
from voice.grants import Grants
from voice.livekit import LiveKit, open_livekit
from voice.provider import Guest
from voice.rooms import room_of
from voice.settings import LiveKitKeys, VoiceSettings

PROJECT = UUID("11111111-1111-4111-8111-111111111111")
ROOM = room_of(PROJECT)
ANN = Guest(UUID("22222222-2222-4222-8222-222222222222"), "Ann", Role.OWNER, Grants(listen=True, speak=True))
VIC = Guest(UUID("33333333-3333-4333-8333-333333333333"), "Vic", Role.VIEWER, Grants(listen=True))


def configured(url: str, **rest: float) -> VoiceSettings:
    """Settings for a server at `url`."""
    keys = LiveKitKeys(url=url, api_key=KEY, api_secret=SecretStr(SECRET))
    return VoiceSettings.model_validate({"livekit": keys, **rest})


@pytest.fixture
async def server() -> AsyncIterator[FakeLiveKit]:
    """A server that has just started."""
    async with fake_livekit() as fake:
        yield fake


@pytest.fixture
async def livekit(server: FakeLiveKit) -> AsyncIterator[LiveKit]:
    """Our side of it."""
    async with open_livekit(configured(server.url)) as provider:
        yield provider


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    """LiveKit's own Node SDK."""
    with running() as peer:
        yield peer


async def test_the_node_sdk_finds_in_a_token_what_the_role_allows(livekit: LiveKit, sdk: Sdk) -> None:
    """Identity, name, role, the one room and five minutes; a microphone for who may speak, and nothing else at all."""
    began = time.time()
    entrance = await livekit.enter(ROOM, ANN, began)
    claims = sdk.verify(KEY, SECRET, entrance.token)
    assert (claims["sub"], claims["name"], json.loads(claims["metadata"])) == (
        str(ANN.user_id),
        "Ann",
        {"role": "owner"},
    )
    assert 0 < claims["exp"] - began <= 301
    assert entrance.expires_at == int(began) + 300
    assert claims["video"] == {
        "roomJoin": True,
        "room": ROOM,
        "canSubscribe": True,
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canPublishData": False,
        "canUpdateOwnMetadata": False,
    }


async def test_a_viewers_token_lets_listen_and_no_more(livekit: LiveKit, sdk: Sdk) -> None:
    """canPublish is false, not left out: LiveKit's default for it is true."""
    video = sdk.verify(KEY, SECRET, (await livekit.enter(ROOM, VIC, time.time())).token)["video"]
    assert (video["canSubscribe"], video["canPublish"], video["canPublishSources"]) == (True, False, [])


async def test_a_token_is_refused_under_another_key(livekit: LiveKit, sdk: Sdk) -> None:
    """The SDK does not believe our token with a secret that did not sign it."""
    token = (await livekit.enter(ROOM, ANN, time.time())).token
    with pytest.raises(SdkError):
        sdk.verify(KEY, "another secret, which is long enough too", token)


async def test_entering_makes_a_room_that_ends_by_itself(livekit: LiveKit, server: FakeLiveKit) -> None:
    """An hour empty, an hour after the last has left, ten people; and the address is a websocket's."""
    entrance = await livekit.enter(ROOM, ANN, time.time())
    room = server.rooms[ROOM]
    assert (room.empty_timeout, room.departure_timeout, room.max_participants) == (3600, 3600, 10)
    assert entrance.url == server.url.replace("http://", "ws://")
    assert (entrance.provider, entrance.room) == ("livekit", ROOM)


async def test_no_more_come_in_than_the_limit(server: FakeLiveKit) -> None:
    """The room carries the limit, and the server keeps it."""
    async with open_livekit(configured(server.url, participants_max=2)) as livekit:
        for number in range(3):
            guest = Guest(uuid4(), "x", Role.EDITOR, Grants(listen=True, speak=True))
            token = (await livekit.enter(ROOM, guest, time.time())).token
            if number < 2:
                server.connect(token)
            else:
                with pytest.raises(TwirpError, match="resource_exhausted"):
                    server.connect(token)


async def test_who_is_there_who_goes_and_the_end(livekit: LiveKit, server: FakeLiveKit) -> None:
    """Present, grants, remove and end do what they say, each with the least grant that allows it."""
    assert await livekit.present(ROOM) == []
    who = server.connect((await livekit.enter(ROOM, ANN, time.time())).token)
    (present,) = await livekit.present(ROOM)
    assert (present.session_id, present.user_id, present.joined_at) == (who.sid, ANN.user_id, float(who.joined_at))
    await livekit.set_grants(ROOM, ANN.user_id, Grants(listen=True))
    assert (who.permission.can_subscribe, who.permission.can_publish) == (True, False)
    await livekit.remove(ROOM, ANN.user_id)
    assert server.inside(ROOM) == set()
    with pytest.raises(NotThere):
        await livekit.remove(ROOM, ANN.user_id)
    await livekit.end(ROOM)
    with pytest.raises(NotThere):
        await livekit.end(ROOM)


async def test_machines_in_the_room_are_no_people(livekit: LiveKit, server: FakeLiveKit) -> None:
    """A recorder, and whoever has no user's identity, is not counted."""
    await livekit.enter(ROOM, ANN, time.time())
    egress = ParticipantInfo(sid="PA_x", identity=str(uuid4()), kind=ParticipantInfo.Kind.EGRESS)
    server.people[ROOM] = {egress.identity: egress, "EG_1": ParticipantInfo(sid="PA_y", identity="EG_1")}
    assert await livekit.present(ROOM) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.json_response({"code": "internal", "msg": "x"}, status=500), Unavailable),
        (web.Response(text="<html>Bad gateway", status=502), Unavailable),
        (web.Response(body=b"\xff\xff\xff", status=200), Unavailable),
        (web.json_response(["no", "object"], status=400), Unavailable),
        (web.json_response({"code": "resource_exhausted", "msg": "x"}, status=429), Unavailable),
        (web.json_response({"code": "unauthenticated", "msg": "x"}, status=401), Misconfigured),
        (web.json_response({"code": "permission_denied", "msg": "x"}, status=403), Misconfigured),
    ],
)
async def test_a_server_that_fails_is_said_to(
    livekit: LiveKit, server: FakeLiveKit, answer: web.Response, error: type[Exception]
) -> None:
    """Whatever it answers instead becomes one of this floor's errors, and the next call is fine."""
    server.misbehaviour.append(answer)
    with pytest.raises(error):
        await livekit.enter(ROOM, ANN, time.time())
    await livekit.enter(ROOM, ANN, time.time())


async def test_a_server_that_is_slow_is_not_waited_for(server: FakeLiveKit) -> None:
    """A call ends after its time."""
    server.misbehaviour.append(30.0)
    async with open_livekit(configured(server.url, timeout_seconds=0.2)) as livekit, asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await livekit.enter(ROOM, ANN, time.time())


async def test_a_server_that_is_not_there(free_port: int) -> None:
    """A refused connection is Unavailable."""
    async with open_livekit(configured(f"ws://127.0.0.1:{free_port}")) as livekit:
        with pytest.raises(Unavailable):
            await livekit.present(ROOM)


async def test_wrong_keys_are_our_mistake(server: FakeLiveKit) -> None:
    """A server that does not know our key: Misconfigured, which says neither key nor secret."""
    keys = LiveKitKeys(url=server.url, api_key="APIother", api_secret=SecretStr("another secret, long enough to sign"))
    async with open_livekit(VoiceSettings(livekit=keys)) as livekit:
        with pytest.raises(Misconfigured) as caught:
            await livekit.enter(ROOM, ANN, time.time())
    assert "another secret" not in str(caught.value)


async def test_webhooks_become_events(livekit: LiveKit, server: FakeLiveKit) -> None:
    """Joined with the role of the token, left, finished; the rest is irrelevant."""
    who = server.connect((await livekit.enter(ROOM, ANN, time.time())).token)
    sid, user = who.sid, ANN.user_id

    def heard(event: str, room: str = ROOM, who: ParticipantInfo | None = who) -> object:
        headers, body = server.webhook(event, room, who, at=1000, id="EV_a")
        return livekit.read({name.lower(): value for name, value in headers.items()}, body, 1000)

    assert heard("participant_joined") == Joined("EV_a", PROJECT, sid, user, Role.OWNER, 1000)
    gone = ParticipantInfo(sid=sid, identity=str(user), state=ParticipantInfo.State.DISCONNECTED)
    assert heard("participant_left", who=gone) == Left("EV_a", PROJECT, sid, user, 1000)
    assert heard("room_finished", who=None) == Finished("EV_a", PROJECT, 1000)
    assert heard("track_published") == Irrelevant("EV_a")
    assert heard("participant_joined", room="somebody-elses") == Irrelevant("EV_a")
    assert heard("participant_joined", who=ParticipantInfo(sid="x", identity="EG_1")) == Irrelevant("EV_a")


async def test_a_webhook_signed_by_the_node_sdk_is_believed(livekit: LiveKit, server: FakeLiveKit, sdk: Sdk) -> None:
    """Another implementation's signature over the same body."""
    _, body = server.webhook("room_finished", ROOM, at=1000, id="EV_b")
    headers = {"authorization": sdk.sign(KEY, SECRET, body.decode())}
    assert livekit.read(headers, body, 1000) == Finished("EV_b", PROJECT, 1000)


@pytest.mark.parametrize(
    ("authorization", "body"),
    [
        ("", b"{}"),
        ("garbage", b"{}"),
        (signature(b"{}", secret="another secret, which is long enough too"), b"{}"),
        (signature(b"{}", key="APIother"), b"{}"),
        (signature(b"{}", seconds=-120), b"{}"),
        (signature(b'{"event":"room_finished"}'), b'{"event": "room_finished"}'),
        (signature(b"{}"), b"{}"),
        (signature(b"not json"), b"not json"),
        (signature(b"\xff"), b"\xff"),
        (jwt.encode({"iss": KEY, "exp": time.time() + 60}, SECRET, "HS256"), b"{}"),
        (jwt.encode({"iss": KEY, "sha256": "x"}, SECRET, "HS256"), b"{}"),
        (jwt.encode({"iss": KEY, "exp": time.time() + 60, "sha256": "x"}, None, "none"), b"{}"),
    ],
)
async def test_what_is_no_webhook_is_refused(livekit: LiveKit, authorization: str, body: bytes) -> None:
    """Unsigned, forged, expired, for other bytes (by one space), or signed nonsense: BadWebhook, nothing else."""
    with pytest.raises(BadWebhook):
        livekit.read({"authorization": authorization}, body, time.time())
