"""Who goes from the voice room, or is silent in it: by a lost role, by the owner's word, by their own."""

import time
from uuid import UUID

import pytest
from aiohttp import web

from presence.events import VoiceChanged
from tests.api.people import Meet, code, id_of, until
from tests.api.studio.voice_room import enter, gone, room, tell
from tests.api.test_events import heard
from tests.voice.fake_livekit import FakeLiveKit


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
