"""What others do, as events: who, where, old and new; and who is here."""

import asyncio

import pytest

import backline
from backline import Change
from tests.client_python.conftest import Song
from tests.collab_server.peer import until

PATIENCE = 15.0


async def following(stream: backline.Changes, root: str) -> Change:
    """The next change of a root."""
    async with asyncio.timeout(PATIENCE):
        async for change in stream:
            if change.root == root:
                return change
    raise AssertionError("the stream has ended")


async def test_changes_tell_who_where_old_and_new(song: Song) -> None:
    """Another person's edits arrive as events with their name, the place, the old and the new value."""
    guest = await song.invite("Ben")
    async with (
        backline.open(song.owner.url, song.owner.token) as mine,
        backline.open(guest.url, guest.token) as theirs,
    ):
        await until(lambda: [person.name for person in mine.people] == ["Ben"], "Ben is here")
        stream = mine.changes()
        mine.transport.swing = 0.5
        track = theirs.tracks.add(name="Bass")
        made = await following(stream, "tracks")
        assert (made.id, made.key, made.old, made.own) == (track.id, "", None, False)
        assert isinstance(made.new, dict)
        assert made.new["name"] == "Bass"
        assert made.by is not None
        assert (made.by.name, made.by.id, made.by.role) == ("Ben", guest.id, "editor")
        track.name = "Sub"
        renamed = await following(stream, "tracks")
        assert (renamed.key, renamed.old, renamed.new) == ("name", "Bass", "Sub")
        theirs.transport.signature = (3, 4)
        changed = await following(stream, "transport")
        assert (changed.id, changed.key, changed.old, changed.new) == ("", "signature", (4, 4), (3, 4))
        note = theirs.notes.add(body="up")
        await following(stream, "notes")
        note.body = "louder"
        words = await following(stream, "notes")
        while words.key != "body":
            words = await following(stream, "notes")
        assert (words.old, words.new) == ("up", "louder")
        point = theirs.tempo.add(960, 90)
        assert (await following(stream, "tempo")).new == (960, 90, 0)
        del theirs.tempo[point]
        gone = await following(stream, "tempo")
        assert (gone.id, gone.key, gone.old, gone.new) == (point, "", (960, 90, 0), None)


async def test_own_changes_are_told_on_demand_and_streams_end(song: Song) -> None:
    """With own=True one's own edits come too, marked as such; without, never; streams end with the project."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        quiet, loud = project.changes(), project.changes(own=True)
        project.transport.bpm = 100
        change = await following(loud, "transport")
        assert (change.key, change.old, change.new, change.own) == ("bpm", 120, 100, True)
        await project.saved(10)
    assert [change async for change in quiet] == []
    with pytest.raises(backline.Closed):
        project.transport.bpm = 101


async def test_presence_is_seen_and_ends(song: Song) -> None:
    """What one shows the other sees, under the name and role the server writes; leaving is seen too."""
    guest = await song.invite("Ben", "viewer")
    async with backline.open(song.owner.url, song.owner.token) as mine:
        async with backline.open(guest.url, guest.token) as theirs:
            theirs.present(cursor={"ctx": "timeline", "tick": 960, "track": None, "y": 0}, user={"name": "Ana"})
            theirs.present(away=True)
            await until(lambda: any(person.state.get("away") for person in mine.people), "seen")
            (ben,) = mine.people
            assert (ben.name, ben.role, ben.id) == ("Ben", "viewer", guest.id)
            assert ben.state == {"cursor": {"ctx": "timeline", "tick": 960, "track": None, "y": 0}, "away": True}
            theirs.present(away=None)
            await until(lambda: "away" not in mine.people[0].state, "taken back")
            await until(lambda: theirs.me is not None, "the server's word on ourselves")
            assert [person.id for person in theirs.people] == [song.owner.id]
            with pytest.raises(backline.InvalidValue):
                theirs.present(sel=["x" * 4000])
            with pytest.raises(backline.NotAllowed):
                theirs.transport.bpm = 99
        await until(lambda: mine.people == [], "gone")
