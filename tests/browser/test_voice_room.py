"""Voice in the page with LiveKit's own client, before a server that stands for LiveKit."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from livekit.protocol.models import ParticipantInfo
from playwright.async_api import Browser, Request, expect

from launch.app import App
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, until
from tests.browser.voice_server import MEDIA, TalkingLiveKit
from tests.voice.fake_livekit import KEY, SECRET, fake_livekit

pytestmark = pytest.mark.browser

CLIENT = "/assets/livekit-"


@pytest.fixture(scope="module")
async def livekit() -> AsyncIterator[TalkingLiveKit]:
    """What stands for a LiveKit server."""
    fake = TalkingLiveKit()
    routes = web.get("/rtc/v1", fake.signal), web.get("/rtc/v1/validate", fake.validate)
    async with fake_livekit(fake, *routes):
        yield fake


@pytest.fixture(scope="module")
def changes(livekit: TalkingLiveKit) -> dict[str, str]:
    """The apps have keys."""
    keys = {"VOICE__LIVEKIT__URL": livekit.url, "VOICE__LIVEKIT__API_KEY": KEY, "VOICE__LIVEKIT__API_SECRET": SECRET}
    return {**keys, "VOICE__LOOK_SECONDS": "3600"}


@pytest.fixture(scope="module")
def switches() -> tuple[str, ...]:
    """A microphone that beeps, and addresses that two pages of one machine can use."""
    return "--use-fake-device-for-media-stream", "--disable-features=WebRtcHideLocalIpsWithMdns"


@pytest.fixture
async def talking(livekit: TalkingLiveKit, chrome: Browser) -> AsyncIterator[TalkingLiveKit]:
    """The server with a page of the same browser to carry the media."""
    page = await chrome.new_page()
    await page.evaluate(MEDIA)
    livekit.media, livekit.deaf = page, False
    yield livekit
    await page.close()


async def with_microphone(studio: Studio) -> None:
    """The person has allowed it."""
    await studio.page.context.grant_permissions(["microphone"])


def room_of(studio: Studio) -> str:
    """The name of the voice room of the project that is open."""
    return f"b-{studio.page.url.rsplit('/', 1)[1].replace('-', '')}"


def person_in(livekit: TalkingLiveKit, studio: Studio) -> ParticipantInfo:
    """The only one in there."""
    (person,) = livekit.people[room_of(studio)].values()
    return person


async def tell(api: App, livekit: TalkingLiveKit, event: str, studio: Studio, who: ParticipantInfo) -> None:
    """A webhook of the server."""
    headers, body = livekit.webhook(event, room_of(studio), who)
    async with httpx.AsyncClient(base_url=api.http) as http:
        answer = await http.post("/api/voice/webhooks/livekit", content=body, headers=headers)
    assert answer.status_code == 204, answer.text


def looks_of(studio: Studio) -> list[Request]:
    """Every time the page asks who is in voice, from now on."""
    found: list[Request] = []
    studio.page.on(
        "request",
        lambda request: found.append(request) if request.method == "GET" and request.url.endswith("/voice") else None,
    )
    return found


async def test_others_are_seen_to_come_and_go_at_once(
    visit: Visit, someone: Visit, talking: TalkingLiveKit, api_server: App
) -> None:
    """Within a second of the webhook, in an open dialog and at the top of the page, which asks only when told."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("viewer"))
    looks = looks_of(ben)
    await ben.at("people").click()
    await expect(ben.at("voice-state")).to_have_text("Nobody is talking.")

    async def told() -> bool:
        return bool(looks)

    await until(told, "Ben's page asked once")
    asked = len(looks)
    await with_microphone(ana)
    await ana.at("people").click()
    await ana.at("voice-enter").click()
    await expect(ana.at("voice-microphone")).to_have_text("Mute yourself")
    person = person_in(talking, ana)
    assert len(looks) == asked, "nothing was told yet, and nothing asked"
    for event, count in (("participant_joined", 1), ("participant_left", 0)):
        began = time.monotonic()
        await tell(api_server, talking, event, ana, person)
        await expect(ben.at("voice-member")).to_have_count(count)
        assert time.monotonic() - began < 1
        assert len(looks) == (asked := asked + 1)
    await tell(
        api_server, talking, "participant_joined", ana, ParticipantInfo(sid="PA_again", identity=person.identity)
    )
    await ben.page.keyboard.press("Escape")
    await expect(ben.at("voice-light")).to_have_text("1 in voice")


async def test_two_talk_and_the_owner_decides(
    visit: Visit, someone: Visit, talking: TalkingLiveKit, api_server: App
) -> None:
    """One joins, is heard, mutes and unmutes; who speaks is shown; the owner mutes and removes, and it is told."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("commenter"))
    await with_microphone(ben)
    await ben.at("people").click()
    await ben.at("voice-enter").click()
    await expect(ben.at("voice-microphone")).to_have_text("Mute yourself")
    person = person_in(talking, ben)

    async def heard() -> bool:
        return await talking.bytes_of(person) > 2_000

    await until(heard, "the voice server hears Ben's microphone")
    await ben.at("voice-microphone").click()
    await expect(ben.at("voice-microphone")).to_have_text("Unmute yourself")

    async def muted() -> bool:
        return talking.tracks[person.identity].muted

    await until(muted, "the voice server knows that Ben is muted")
    await ben.at("voice-microphone").click()
    await tell(api_server, talking, "participant_joined", ben, person)
    await talking.speaks(person, True)
    await expect(ben.at("voice-member")).to_have_attribute("data-speaking", "true")
    await talking.speaks(person, False)
    await expect(ben.at("voice-member")).to_have_attribute("data-speaking", "false")
    await ana.at("people").click()
    await expect(ana.at("voice-member")).to_have_count(1)
    await ana.at("voice-mute").click()
    await expect(ana.at("voice-member")).to_contain_text("Muted by the owner")
    await expect(ben.at("voice-member")).to_contain_text("Muted by the owner")
    await expect(ben.at("voice-listening")).to_be_visible()
    assert person.permission.can_publish is False
    await ana.at("voice-remove").click()
    await expect(ana.at("voice-member")).to_have_count(0)
    await expect(ben.at("voice-trouble")).to_have_text("You were removed from the voice room.")


async def test_a_viewer_listens(visit: Visit, someone: Visit, talking: TalkingLiveKit) -> None:
    """Without a microphone and without being asked for one; closing the dialog is not leaving."""
    ana, eve = await visit(), await someone()
    await eve.join(await ana.invite_link("viewer"))
    await eve.at("people").click()
    await expect(eve.at("voice-enter")).to_have_text("Listen")
    await eve.at("voice-enter").click()
    await expect(eve.at("voice-listening")).to_be_visible()
    await expect(eve.at("voice-trouble")).to_have_count(0)
    await eve.page.keyboard.press("Escape")
    await eve.at("voice-light").click()
    await eve.at("voice-leave").click()
    await expect(eve.at("voice-enter")).to_be_visible()

    async def gone() -> bool:
        return not talking.inside(room_of(eve))

    await until(gone, "the voice server was told that Eve left")


async def test_viewers_who_may_not_listen_are_told(visit: Visit, someone: Visit, talking: TalkingLiveKit) -> None:
    """There is no button that could not work, but a sentence."""
    ana, eve = await visit(), await someone()
    await eve.join(await ana.invite_link("viewer"))
    await ana.at("people").click()
    await ana.at("option-viewers_listen").uncheck()
    await expect(ana.at("option-viewers_listen")).to_be_enabled()
    await eve.at("people").click()
    await expect(eve.at("voice-closed")).to_be_visible()
    await expect(eve.at("voice-enter")).to_have_count(0)


async def test_a_refused_microphone_is_told(visit: Visit, talking: TalkingLiveKit) -> None:
    """One is in and listens, is told how to be heard, and is heard after allowing it."""
    ana = await visit()
    await ana.at("people").click()
    await ana.at("voice-enter").click()
    await expect(ana.at("voice-trouble")).to_contain_text("Your browser was told not to use the microphone.")
    await expect(ana.at("voice-microphone")).to_have_text("Unmute yourself")
    await with_microphone(ana)
    await ana.at("voice-microphone").click()
    await expect(ana.at("voice-microphone")).to_have_text("Mute yourself")
    await expect(ana.at("voice-trouble")).to_have_count(0)
    await ana.at("voice-leave").click()


async def test_an_unreachable_voice_server_is_told(visit: Visit, talking: TalkingLiveKit) -> None:
    """In a sentence, with the way to try again, which works when it is back; nobody was asked for a microphone."""
    ana = await visit()
    talking.deaf = True
    await ana.at("people").click()
    await ana.at("voice-enter").click()
    await expect(ana.at("voice-trouble")).to_contain_text("The voice server cannot be reached right now.")
    talking.deaf = False
    await with_microphone(ana)
    await ana.at("voice-enter").click()
    await expect(ana.at("voice-microphone")).to_have_text("Mute yourself")
    await expect(ana.at("voice-trouble")).to_have_count(0)
    await ana.at("voice-leave").click()
    await ana.light("saved")


async def test_voice_is_loaded_when_somebody_joins(someone: Visit, talking: TalkingLiveKit) -> None:
    """A page without voice loads nothing of it, and never speaks to the voice server."""
    ana = await someone()
    loaded: list[str] = []
    ana.page.on("request", lambda request: loaded.append(request.url))
    await ana.page.goto("/")
    await ana.opened()
    await ana.at("people").click()
    await expect(ana.at("voice-enter")).to_be_visible()
    assert not [url for url in loaded if CLIENT in url or url.startswith(talking.url)]
    await with_microphone(ana)
    await ana.at("voice-enter").click()
    await expect(ana.at("voice-microphone")).to_be_visible()
    assert [url for url in loaded if CLIENT in url]
    await ana.at("voice-leave").click()
