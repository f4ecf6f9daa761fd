"""Track locks over HTTP; what they do to others' edits is decided by the collab server."""

from tests.api.people import Meet, code

TRACK = "master"


async def test_a_track_is_held_renewed_and_given_back(meet: Meet) -> None:
    """The document says who and until when; the time is at most ten minutes, and a second hold is a longer one."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    lock = f"{project}/tracks/{TRACK}/lock"
    first = (await ben.post(lock, {"seconds": 5})).json()
    assert (first["track"], first["user"]) == (TRACK, ben.id)
    longer = (await ben.post(lock)).json()
    assert 590_000 < longer["until"] - first["until"] + 5_000 < 610_000
    held = (await ann.get(f"{project}/document")).json()["tracks"][TRACK]["lock"]
    assert held == [ben.id, longer["until"]]
    assert code(await ben.post(lock, {"seconds": 601})) == (422, "invalid")
    assert (await ben.delete(lock)).status_code == 204
    assert (await ann.get(f"{project}/document")).json()["tracks"][TRACK]["lock"] is None
    assert (await ben.delete(lock)).status_code == 204


async def test_who_comes_second_is_told_and_only_the_owner_breaks(meet: Meet) -> None:
    """Somebody else's lock is neither taken nor ended, except by the owner of the project; no such track: 404."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project)
    lock = f"{project}/tracks/{TRACK}/lock"
    await ben.post(lock)
    refused = await cleo.post(lock)
    assert code(refused) == (409, "track_locked")
    assert refused.json()["error"]["user"] == ben.id
    assert code(await cleo.delete(lock)) == (409, "track_locked")
    assert code(await ann.post(lock)) == (409, "track_locked")
    assert (await ann.delete(lock)).status_code == 204
    assert (await cleo.post(lock)).status_code == 200
    assert code(await cleo.post(f"{project}/tracks/t_none/lock")) == (404, "not_found")


async def test_a_restricted_editor_holds_what_they_may_change(meet: Meet) -> None:
    """Chosen tracks alone; every track for who mixes; none for who may only set markers."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    wanted = {"mix": 200, "markers": 403}
    for only, status in wanted.items():
        await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": only}})
        assert (await ben.post(f"{project}/tracks/{TRACK}/lock")).status_code == status
    await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": "tracks", "tracks": [TRACK]}})
    assert (await ben.post(f"{project}/tracks/{TRACK}/lock")).status_code == 200
    assert (await ben.post(f"{project}/tracks/lost/lock")).status_code == 403
