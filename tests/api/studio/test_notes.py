"""Notes and replies over HTTP, through the document."""

import pytest

from tests.api.people import Meet, code


async def test_a_note_and_its_reply(meet: Meet) -> None:
    """A commenter says something, an editor answers and resolves it; the document shows all of it."""
    ann = await meet("Ann")
    project = await ann.project()
    cleo = await meet("Cleo", ann, project, "commenter")
    note = (await cleo.post(f"{project}/notes", {"body": "Zoë: é 🎵!", "anchor": ["t", 960, None]})).json()
    assert (note["author"], note["body"], note["anchor"][:2]) == (cleo.id, "Zoë: é 🎵!", ["t", 960])
    reply = (await ann.post(f"{project}/notes", {"body": "Yes", "parent": note["id"]})).json()
    assert (reply["parent"], reply["anchor"][:2]) == (note["id"], ["t", 960])
    resolved = (await ann.patch(f"{project}/notes/{note['id']}", {"resolved": True})).json()
    assert resolved["resolved"][0] == ann.id
    reopened = (await cleo.patch(f"{project}/notes/{note['id']}", {"resolved": False, "body": "Zoë: é 🎸!"})).json()
    assert (reopened["resolved"], reopened["body"]) == (None, "Zoë: é 🎸!")
    listed = (await cleo.get(f"{project}/notes")).json()["items"]
    assert [item["id"] for item in listed] == [note["id"], reply["id"]]
    assert listed[0] == reopened
    assert (await ann.get(f"{project}/document")).json()["notes"][note["id"]]["body"] == "Zoë: é 🎸!"
    origins = {change["origin"] for change in (await ann.get(f"{project}/history")).json()["items"]}
    assert origins == {"seed", "comment"}


async def test_commenters_touch_their_own_notes_alone(meet: Meet) -> None:
    """Somebody else's note is theirs to read; their own is theirs to change."""
    ann = await meet("Ann")
    project = await ann.project()
    cleo = await meet("Cleo", ann, project, "commenter")
    others = (await ann.post(f"{project}/notes", {"body": "mine"})).json()["id"]
    own = (await cleo.post(f"{project}/notes", {"body": "mine"})).json()["id"]
    for change in ({"body": "x"}, {"resolved": True}):
        assert code(await cleo.patch(f"{project}/notes/{others}", change)) == (403, "forbidden")
        assert (await cleo.patch(f"{project}/notes/{own}", change)).status_code == 200
    assert code(await cleo.delete(f"{project}/notes/{others}")) == (403, "forbidden")
    assert (await cleo.delete(f"{project}/notes/{own}")).status_code == 204
    assert code(await cleo.delete(f"{project}/notes/{own}")) == (404, "not_found")
    assert (await ann.delete(f"{project}/notes/{others}")).status_code == 204


async def test_a_note_cannot_point_at_nothing(meet: Meet) -> None:
    """Parents, clips and tracks have to be there."""
    ann = await meet("Ann")
    project = await ann.project()
    for pointing in ({"parent": "n_000000000000"}, {"track": "t_000000000000"}, {"anchor": ["c", "c_0", 0]}):
        assert code(await ann.post(f"{project}/notes", {"body": "x", **pointing})) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"body": ""},
        {"body": "   "},
        {"body": "x" * 4001},
        {"body": "🎵" * 2001},
        {"body": None},
        {"body": "x", "anchor": ["t"]},
        {"body": "x", "anchor": ["z", 1]},
        {"body": "x", "anchor": ["t", -1]},
        {"body": "x", "anchor": ["t", 10**400]},
        {"body": "x", "anchor": ["t", 5, 5]},
        {"body": "x", "anchor": ["t", {"deep": []}]},
        {"body": "x", "anchor": "t"},
        {"body": "x", "author": "me"},
    ],
)
async def test_a_note_that_is_none_is_refused(meet: Meet, body: object) -> None:
    """Wrong values are a typed refusal, and the document stays as it was."""
    ann = await meet("Ann")
    project = await ann.project()
    assert code(await ann.post(f"{project}/notes", body)) == (422, "invalid")
    assert (await ann.get(f"{project}/document")).json()["notes"] == {}


async def test_commenters_work_by_commands_and_viewers_not_at_all(meet: Meet) -> None:
    """A commenter adds, replies, rewrites and resolves; made a viewer, not even their own note is theirs to touch."""
    ann = await meet("Ann")
    project = await ann.project()
    cleo = await meet("Cleo", ann, project, "commenter")
    asked = (await ann.post(f"{project}/notes", {"body": "Louder?"})).json()["id"]
    reply = (await cleo.post(f"{project}/notes", {"body": "Yes.", "parent": asked})).json()
    assert (reply["parent"], reply["author"]) == (asked, cleo.id)
    changed = (await cleo.patch(f"{project}/notes/{reply['id']}", {"body": "No.", "resolved": True})).json()
    assert (changed["body"], changed["resolved"][0]) == ("No.", cleo.id)
    await ann.patch(f"{project}/members/{cleo.id}", {"role": "viewer"})
    for refused in (
        await cleo.post(f"{project}/notes", {"body": "x"}),
        await cleo.patch(f"{project}/notes/{reply['id']}", {"body": "x"}),
        await cleo.delete(f"{project}/notes/{reply['id']}"),
    ):
        assert code(refused) == (403, "forbidden")
    assert [note["id"] for note in (await cleo.get(f"{project}/notes")).json()["items"]] == [asked, reply["id"]]
