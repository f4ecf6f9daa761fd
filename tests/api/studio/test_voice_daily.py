"""The same room at Daily, which does not say with which role a token was made."""

import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from fastapi import FastAPI

from api.app import running
from api.settings import Settings
from tests.api.people import Meet, code, until
from tests.voice.fake_daily import API_KEY, WEBHOOK_SECRET, FakeDaily, fake_daily
from voice.rooms import room_of
from voice.settings import VoiceSettings


@pytest.fixture(scope="module")
async def daily() -> AsyncIterator[FakeDaily]:
    """What stands for the service."""
    async with fake_daily() as fake:
        yield fake


@pytest.fixture(scope="module")
async def app(settings: Settings, daily: FakeDaily) -> AsyncIterator[FastAPI]:
    """The app with Daily's keys."""
    keys = {"url": daily.url, "api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
    voice = VoiceSettings.model_validate({"provider": "daily", "daily": keys, "look_seconds": 0})
    async with running(settings.model_copy(update={"voice": voice})) as app:
        yield app


async def test_an_old_token_gives_no_more_than_the_role(meet: Meet, daily: FakeDaily) -> None:
    """An editor who has become a viewer is put out, and, back by the old token, may listen alone; gone, stays out."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    room = room_of(UUID(project.rsplit("/", 1)[1]))

    async def joined(session: str) -> None:
        now = time.time()
        headers, body = daily.webhook(
            "participant.joined", room=room, session_id=session, user_id=ben.id, joined_at=now
        )
        assert (await ben.http.post("/api/voice/webhooks/daily", content=body, headers=headers)).status_code == 204

    async def out() -> bool:
        return ben.id not in daily.inside(room)

    asked = await ben.post(f"{project}/voice")
    assert (asked.json()["provider"], asked.json()["url"]) == ("daily", daily.rooms[room]["url"])
    old = asked.json()["token"]
    await joined(daily.connect(old))
    assert [each["user"]["id"] for each in (await ann.get(f"{project}/voice")).json()["participants"]] == [ben.id]
    await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
    await until(out)
    session = daily.connect(old)
    assert daily.people[room][session]["permissions"]["canSend"] == ["audio"]
    await joined(session)

    async def silent() -> bool:
        return daily.people[room][session]["permissions"]["canSend"] is False

    await until(silent)
    await ann.delete(f"{project}/members/{ben.id}")
    await until(out)
    await joined(daily.connect(old))
    await until(out)


async def test_a_forged_webhook_is_refused(meet: Meet, daily: FakeDaily) -> None:
    """The signature covers the body as it came."""
    ann = await meet("Ann")
    headers, body = daily.webhook("meeting.ended", room="b-x", end_ts=1)
    refused = await ann.http.post("/api/voice/webhooks/daily", content=body + b" ", headers=headers)
    assert code(refused) == (401, "bad_webhook")
