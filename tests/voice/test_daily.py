"""Daily.co: what our tokens allow, what we ask the service, and which webhooks we believe."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from pydantic import SecretStr

from studio.roles import Role
from tests.voice.fake_daily import API_KEY, WEBHOOK_SECRET, FakeDaily, Refused, fake_daily, signed
from voice.daily import Daily, open_daily
from voice.errors import BadWebhook, Misconfigured, NotThere, Unavailable
from voice.events import Finished, Irrelevant, Joined, Left
from voice.grants import Grants
from voice.provider import Guest
from voice.rooms import room_of
from voice.settings import DailyKeys, VoiceSettings

PROJECT = UUID("11111111-1111-4111-8111-111111111111")
ROOM = room_of(PROJECT)
ANN = Guest(UUID("22222222-2222-4222-8222-222222222222"), "Ann", Role.OWNER, Grants(listen=True, speak=True))
VIC = Guest(UUID("33333333-3333-4333-8333-333333333333"), "Vic", Role.VIEWER, Grants(listen=True))


def configured(url: str, key: str = API_KEY, secret: str = WEBHOOK_SECRET, **rest: float) -> VoiceSettings:
    """Settings for a service at `url`."""
    keys = DailyKeys(url=url, api_key=SecretStr(key), webhook_secret=SecretStr(secret))
    return VoiceSettings.model_validate({"provider": "daily", "daily": keys, **rest})


@pytest.fixture
async def service() -> AsyncIterator[FakeDaily]:
    """A service without rooms."""
    async with fake_daily() as fake:
        yield fake


@pytest.fixture
async def daily(service: FakeDaily) -> AsyncIterator[Daily]:
    """Our side of it."""
    async with open_daily(configured(service.url)) as provider:
        yield provider


async def test_a_room_is_private_small_and_ends(daily: Daily, service: FakeDaily) -> None:
    """Daily's defaults are public and endless: ours are neither."""
    now = time.time()
    entrance = await daily.enter(ROOM, ANN, now)
    room = service.rooms[ROOM]
    assert room["privacy"] == "private"
    assert room["config"]["max_participants"] == 10
    assert room["config"]["exp"] == int(now) + 3600
    assert room["config"]["eject_at_room_exp"] is False
    assert (entrance.provider, entrance.url, entrance.room) == ("daily", room["url"], ROOM)


async def test_whoever_enters_moves_the_end_on(daily: Daily, service: FakeDaily) -> None:
    """An hour after the last who asked for a token, not after the first; then nobody gets in any more."""
    now = time.time()
    await daily.enter(ROOM, ANN, now)
    late = await daily.enter(ROOM, VIC, now + 1800)
    assert service.rooms[ROOM]["config"]["exp"] == int(now + 1800) + 3600
    service.tokens[late.token]["exp"] = now + 10_000
    with pytest.raises(Refused):
        service.connect(late.token, now + 1800 + 3601)


async def test_a_token_is_for_one_room_one_person_and_five_minutes(daily: Daily, service: FakeDaily) -> None:
    """Without room_name it would open every room, without exp for ever; nobody is an owner at Daily."""
    now = time.time()
    told = service.tokens[(await daily.enter(ROOM, ANN, now)).token]
    assert (told["room_name"], told["user_id"], told["user_name"]) == (ROOM, str(ANN.user_id), "Ann")
    assert told["exp"] == int(now) + 300
    assert told["is_owner"] is False
    allowed = {"hasPresence": True, "canSend": ["audio"], "canReceive": {"base": True}, "canAdmin": False}
    assert told["permissions"] == allowed
    viewer = service.tokens[(await daily.enter(ROOM, VIC, now)).token]
    assert viewer["permissions"] == {**allowed, "canSend": False}


async def test_two_who_open_a_room_at_once_get_the_same(daily: Daily, service: FakeDaily) -> None:
    """The second is told that the room exists, and goes in."""
    one, two = await asyncio.gather(daily.enter(ROOM, ANN, time.time()), daily.enter(ROOM, VIC, time.time()))
    assert one.url == two.url
    assert list(service.rooms) == [ROOM]


async def test_who_is_there_who_goes_and_the_end(daily: Daily, service: FakeDaily) -> None:
    """Present, grants, remove and end do what they say."""
    assert await daily.present(ROOM) == []
    session = service.connect((await daily.enter(ROOM, ANN, time.time())).token)
    (present,) = await daily.present(ROOM)
    assert (present.session_id, present.user_id) == (session, ANN.user_id)
    assert abs(present.joined_at - time.time()) < 5
    await daily.set_grants(ROOM, ANN.user_id, Grants(listen=True))
    assert service.people[ROOM][session]["permissions"]["canSend"] is False
    with pytest.raises(NotThere):
        await daily.set_grants(ROOM, uuid4(), Grants(listen=True))
    await daily.remove(ROOM, ANN.user_id)
    assert service.inside(ROOM) == set()
    with pytest.raises(NotThere):
        await daily.remove(ROOM, ANN.user_id)
    await daily.end(ROOM)
    with pytest.raises(NotThere):
        await daily.end(ROOM)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.json_response({"error": "server-error"}, status=500), Unavailable),
        (web.json_response({"error": "rate-limit-error"}, status=429), Unavailable),
        (web.Response(text="<html>Bad gateway", status=502), Unavailable),
        (web.Response(text="no json"), Unavailable),
        (web.json_response(["no", "object"]), Unavailable),
        (web.json_response({"name": "a room without an address"}), Unavailable),
        (web.json_response({"error": "authentication-error"}, status=401), Misconfigured),
    ],
)
async def test_a_service_that_fails_is_said_to(
    daily: Daily, service: FakeDaily, answer: web.Response, error: type[Exception]
) -> None:
    """Whatever it answers instead becomes one of this floor's errors, and the next call is fine."""
    service.misbehaviour.append(answer)
    with pytest.raises(error):
        await daily.enter(ROOM, ANN, time.time())
    await daily.enter(ROOM, ANN, time.time())


@pytest.mark.parametrize(
    "data", [5, [5], [{"userId": str(ANN.user_id)}], [{"userId": str(ANN.user_id), "id": "x", "joinTime": "y"}]]
)
async def test_presence_of_another_form_is_not_guessed(daily: Daily, service: FakeDaily, data: object) -> None:
    """Neither nobody nor somebody: the provider is not available."""
    await daily.enter(ROOM, ANN, time.time())
    service.misbehaviour.append(web.json_response({"data": data}))
    with pytest.raises(Unavailable):
        await daily.present(ROOM)


async def test_a_service_that_is_slow_is_not_waited_for(service: FakeDaily) -> None:
    """A call ends after its time."""
    service.misbehaviour.append(30.0)
    async with open_daily(configured(service.url, timeout_seconds=0.2)) as daily, asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await daily.enter(ROOM, ANN, time.time())


async def test_a_wrong_key_is_our_mistake(service: FakeDaily) -> None:
    """Misconfigured, which does not say the key."""
    async with open_daily(configured(service.url, key="another")) as daily:
        with pytest.raises(Misconfigured) as caught:
            await daily.enter(ROOM, ANN, time.time())
    assert "another" not in str(caught.value)


async def test_webhooks_become_events(daily: Daily, service: FakeDaily) -> None:
    """Joined (Daily does not say with which role), left, meeting ended; the rest is irrelevant."""

    def heard(kind: str, **payload: object) -> object:
        headers, body = service.webhook(kind, "ev", **{"room": ROOM, **payload})
        return daily.read({name.lower(): value for name, value in headers.items()}, body, time.time())

    who = {"session_id": "s", "user_id": str(ANN.user_id), "joined_at": 1000.5}
    assert heard("participant.joined", **who) == Joined("ev", PROJECT, "s", ANN.user_id, None, 1000.5)
    assert heard("participant.left", **who, duration=60) == Left("ev", PROJECT, "s", ANN.user_id, 1060.5)
    assert heard("meeting.ended", start_ts=1000, end_ts=2000.5, meeting_id="m") == Finished("ev", PROJECT, 2000.5)
    assert heard("meeting.started", start_ts=1000, meeting_id="m") == Irrelevant("ev")
    assert heard("participant.joined", **{**who, "room": "somebody-elses"}) == Irrelevant("ev")
    assert heard("participant.joined", **{**who, "user_id": "recorder"}) == Irrelevant("ev")


async def test_daily_may_try_the_address(daily: Daily) -> None:
    """Before there is a webhook Daily posts a trial without a signature, and it has to be answered well."""
    assert daily.read({}, b'{"test":"test"}', time.time()) == Irrelevant("")


BODY = json.dumps({"id": "ev", "type": "meeting.ended", "payload": {"room": ROOM, "end_ts": 1}}).encode()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        (signed(BODY, secret="YW5vdGhlciBzZWNyZXQ="), BODY),
        (signed(BODY), BODY.replace(b" ", b"", 1)),
        (signed(BODY, stamp=(time.time() - 3600) * 1000), BODY),
        ({**signed(BODY), "X-Webhook-Timestamp": str(int(time.time() * 1000) + 1)}, BODY),
        ({**signed(BODY), "X-Webhook-Signature": "\udcff"}, BODY),
        (signed(b"not json"), b"not json"),
        (signed(b"[]"), b"[]"),
        (signed(b'{"id":"ev","type":"meeting.ended"}'), b'{"id":"ev","type":"meeting.ended"}'),
    ],
)
async def test_what_is_no_webhook_is_refused(daily: Daily, headers: dict[str, str], body: bytes) -> None:
    """Unsigned, forged, for other bytes, replayed later, or signed nonsense: BadWebhook, nothing else."""
    with pytest.raises(BadWebhook):
        daily.read({name.lower(): value for name, value in headers.items()}, body, time.time())


async def test_without_a_secret_no_webhook_is_believed(service: FakeDaily) -> None:
    """Not even one signed with an empty secret."""
    async with open_daily(configured(service.url, secret="")) as daily:
        headers = {name.lower(): value for name, value in signed(BODY, secret="").items()}
        with pytest.raises(BadWebhook):
            daily.read(headers, BODY, time.time())
