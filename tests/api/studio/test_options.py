"""What a project decides for itself, and that every door asks it."""

from dataclasses import fields

import asyncpg
import httpx
import pytest

from studio.roles import Options
from tests.api.people import Meet, Musician, code, until
from tests.api.studio.voice_room import enter, gone, room
from tests.voice.fake_livekit import FakeLiveKit

AS_MADE = {field.name: getattr(Options(), field.name) for field in fields(Options)}
REFUSED: tuple[object, ...] = (
    {},
    None,
    [],
    {"viewers_listen": None},
    {"viewers_listen": 1},
    {"viewers_listen": "false"},
    {"x": True},
)
MOST = {"editors_restore": False, "commenters_transport": True, "readers_export": True}


async def doors(who: Musician, project: str) -> tuple[httpx.Response, ...]:
    """Everything that a restore is asked by."""
    saved = (await who.post(f"{project}/snapshots", {"name": "x"})).json()["id"]
    marker = (await who.post(f"{project}/markers", {"tick": 0, "label": "x"})).json()["id"]
    await who.delete(f"{project}/markers/{marker}")
    return (
        await who.post(f"{project}/snapshots/{saved}/restore"),
        await who.post(f"{project}/moments/1/restore"),
        await who.post(f"{project}/changes/undo", {"person": who.id, "from_seq": 1, "to_seq": 1}),
        await who.post(f"{project}/trash/markers/{marker}/restore"),
    )


async def test_a_project_begins_with_the_ordinary_options(meet: Meet) -> None:
    """Every member reads them."""
    ann = await meet("Ann")
    project = await ann.project()
    vi = await meet("Vi", ann, project, "viewer")
    assert (await ann.get(f"{project}/options")).json() == (await vi.get(f"{project}/options")).json() == AS_MADE


@pytest.mark.parametrize("name", AS_MADE)
async def test_each_option_is_turned_alone(meet: Meet, name: str) -> None:
    """What is left out stays; it is kept, and turned back."""
    ann = await meet("Ann")
    project = await ann.project()
    turned = {**AS_MADE, name: not AS_MADE[name]}
    for told, wanted in ((turned[name], turned), (turned[name], turned), (AS_MADE[name], AS_MADE)):
        changed = await ann.patch(f"{project}/options", {name: told})
        assert (changed.status_code, changed.json()) == (200, wanted)
        assert (await ann.get(f"{project}/options")).json() == wanted


async def test_several_at_once_and_of_one_project(meet: Meet) -> None:
    """Another project of the same owner keeps its own."""
    ann = await meet("Ann")
    project, other = await ann.project(), await ann.project()
    assert (await ann.patch(f"{project}/options", MOST)).json() == AS_MADE | MOST
    assert (await ann.get(f"{other}/options")).json() == AS_MADE


@pytest.mark.parametrize("body", REFUSED, ids=str)
async def test_nothing_but_true_and_false_is_taken(meet: Meet, body: object) -> None:
    """No number, word or null, no unknown name, and not nothing at all; also beside what is fine."""
    ann = await meet("Ann")
    project = await ann.project()
    assert code(await ann.patch(f"{project}/options", body)) == (422, "invalid")
    if isinstance(body, dict) and body:
        assert code(await ann.patch(f"{project}/options", {"readers_export": True, **body})) == (422, "invalid")
    assert (await ann.get(f"{project}/options")).json() == AS_MADE


async def test_nobody_but_the_owner_decides(meet: Meet) -> None:
    """Members are told so, strangers find nothing, and a deleted project has no options."""
    ann = await meet("Ann")
    project = await ann.project()
    for role in ("editor", "commenter", "viewer"):
        other = await meet("Ben", ann, project, role)
        assert code(await other.patch(f"{project}/options", {"readers_export": True})) == (403, "forbidden")
    stranger = await meet("Sam")
    assert code(await stranger.get(f"{project}/options")) == (404, "not_found")
    assert code(await stranger.patch(f"{project}/options", {"readers_export": True})) == (404, "not_found")
    assert (await ann.get(f"{project}/options")).json() == AS_MADE
    await ann.delete(project)
    assert code(await ann.patch(f"{project}/options", {"readers_export": True})) == (404, "not_found")


async def test_editors_restore_while_they_may(meet: Meet) -> None:
    """By each of the ways; without the option they are told which one it is, and the owner still restores."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    assert [answer.status_code for answer in await doors(ben, project)] == [200] * 4
    await ann.patch(f"{project}/options", {"editors_restore": False})
    for answer in await doors(ben, project):
        assert code(answer) == (403, "forbidden")
        assert answer.json()["error"]["option"] == "editors_restore"
        assert "owner" in answer.json()["error"]["message"]
    assert [answer.status_code for answer in await doors(ann, project)] == [200] * 4


async def test_a_role_too_small_for_any_option_is_told_of_none(meet: Meet) -> None:
    """A viewer never restores, whatever the project decides."""
    ann = await meet("Ann")
    project = await ann.project()
    vi = await meet("Vi", ann, project, "viewer")
    await ann.patch(f"{project}/options", dict.fromkeys(AS_MADE, True))
    refused = await vi.post(f"{project}/moments/1/restore")
    assert code(refused) == (403, "forbidden")
    assert "option" not in refused.json()["error"]


async def test_viewers_listen_by_either_door(meet: Meet, livekit: FakeLiveKit) -> None:
    """The voice room's own switch and the options are one; viewers who may no longer listen are out within a second."""
    ann = await meet("Ann")
    project = await ann.project()
    vic, eve = await meet("Vic", ann, project, "viewer"), await meet("Eve", ann, project)
    await enter(vic, project, livekit)
    await enter(eve, project, livekit)
    await ann.patch(f"{project}/options", {"viewers_listen": False})
    await gone(livekit, vic, project)
    assert (await ann.get(f"{project}/voice")).json()["viewers_listen"] is False
    refused = await vic.post(f"{project}/voice")
    assert (code(refused), refused.json()["error"]["option"]) == ((403, "forbidden"), "viewers_listen")
    assert eve.id in livekit.inside(room(project))
    await ann.patch(f"{project}/voice", {"viewers_listen": True})
    assert (await vic.get(f"{project}/options")).json() == AS_MADE
    await enter(vic, project, livekit)


async def test_the_database_tells_of_a_change_and_of_nothing_else(meet: Meet, database: str) -> None:
    """One word for each change, none where everything is as it was, none for a new name."""
    ann = await meet("Ann")
    project = await ann.project()
    rung: list[str] = []
    connection = await asyncpg.connect(database)
    await connection.add_listener("backline_members", lambda *told: rung.append(str(told[3])))
    await ann.patch(f"{project}/options", {"commenters_transport": False})
    await ann.patch(project, {"name": "Another"})
    for name, value in AS_MADE.items():
        await ann.patch(f"{project}/options", {name: not value})
    await connection.execute("select pg_notify('backline_members', 'the end')")

    async def over() -> bool:
        return rung[-1:] == ["the end"]

    await until(over)
    await connection.close()
    assert rung[:-1] == [project.rsplit("/", 1)[1]] * len(AS_MADE)
