"""Edits of a Python client: typed, checked before anything is sent, saved when the server says so."""

import json
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

import backline
from backline import InvalidValue, NoSuchEntity, Project, Section, Slot
from backline.records import SECTIONS, Arrangement
from tests.client_python.conftest import Song
from tests.client_python.offline import document
from tests.collab_server.peer import until


@pytest.fixture
async def project(song: Song) -> AsyncIterator[Project]:
    """The owner's view of a new project."""
    async with backline.open(song.owner.url, song.owner.token) as opened:
        yield opened


async def test_what_is_saved_stands_in_the_document(song: Song, project: Project) -> None:
    """Tracks, clips, markers, notes, tempo and settings are in the committed document when saved() returns."""
    drums = project.tracks.add(name="Drums", kind="midi", role="drums")
    clip = project.clips.add(track=drums.id, pos=3840, out=3840, name="Beat")
    event = project.events.add(clip.id, tick=0, dur=120, pitch=36, vel=0.9)
    marker = project.markers.add(tick=3840, end=7680, label="Verse", kind="section")
    note = project.notes.add(anchor=("c", clip.id, 960), body="más fuerte 🥁")
    point = project.tempo.add(tick=7680, bpm=90)
    project.transport.bpm = 128
    drums.gain_db = -6
    await project.saved(10)
    assert project.unsaved == []
    stored = await song.stored()
    assert stored["tracks"][drums.id] == {
        "kind": "midi",
        "role": "drums",
        "name": "Drums",
        "color": drums.color,
        "order": drums.order,
        "gain_db": -6,
        "pan": 0,
        "mute": False,
        "output": "master",
        "deleted": None,
    }
    assert stored["clips"][clip.id]["out"] == 3840
    assert stored["events"] == {event: [0, 120, 36, 0.9]}
    assert stored["markers"][marker.id]["by"] == song.owner.id
    assert stored["notes"][note.id]["body"] == "más fuerte 🥁"
    assert stored["tempo"] == {point: [7680, 90, 0]}
    assert stored["transport"]["bpm"] == 128
    await until(lambda: as_json(project) == stored, "what the server repaired is here too")


def as_json(project: Project) -> object:
    """The client's document with lists, as JSON has them."""
    return json.loads(json.dumps(project.json()))


async def test_arrangement_and_slots_are_taken_as_they_were_written(song: Song, project: Project) -> None:
    """Sections keep their order and slots their scenes, nothing is repaired, and others' keys survive a rewrite."""
    keys = project.tracks.add(name="Keys")
    clip = project.clips.add(track=keys.id, pos=0, out=3840)
    verse, chorus = project.arrangement.add("Verse", 8), project.arrangement.add("Chorus", 16)
    intro = project.arrangement.add("Intro", 4, order="0V")
    late, early = project.slots.put(keys.id, 10, clip.id, "#e2574c"), project.slots.put(keys.id, 2)
    wrote = as_json(project)
    await project.saved(10)
    assert wrote == await song.stored()
    assert [id for id, _ in project.arrangement.items()] == [intro, verse, chorus]
    assert list(project.slots) == [early, late]
    assert project.slots.of(keys.id) == {2: Slot(), 10: Slot(clip.id, "#e2574c")}
    project.arrangement[verse] = project.arrangement[verse]._replace(bars=12)
    del project.slots[early]
    await project.saved(10)
    stored = await song.stored()
    assert (stored["arrangement"][verse]["bars"], list(stored["slots"])) == (12, [late])
    with pytest.raises(InvalidValue):
        project.slots.put(keys.id, 64)
    with pytest.raises(InvalidValue):
        project.arrangement.add("x", -1)


def test_what_others_keep_in_a_section_stays() -> None:
    """The server's keys of a section survive when a script rewrites it, and what it lacks reads as its default."""
    doc = document({"arrangement": {"s_1": {"name": "Verse", "transition": "cut"}}})
    arrangement = Arrangement(doc, "arrangement", SECTIONS)
    assert arrangement["s_1"] == Section(order="zzs1", name="Verse", bars=0)
    arrangement["s_1"] = Section("V", "Verse", 8)
    assert doc.json()["arrangement"] == {"s_1": {"order": "V", "name": "Verse", "bars": 8, "transition": "cut"}}


async def test_every_kind_of_entity_is_taken_as_it_was_written(song: Song, project: Project) -> None:
    """Effects, sends, lanes, points and signatures are stored as written: the server repairs none of their values."""
    with project.transaction():
        bus = project.tracks.add(name="Reverb", kind="bus", output="master")
        track = project.tracks.add(name="Keys")
        effect = project.effects.add(track=bus.id, kind="reverb")
        effect.set_parameter("size", 0.4)
        send = project.sends.add(track.id, bus.id, gain_db=-12)
        project.lanes[f"{track.id}.gain"] = backline.Lane(True, -60, 6, 0)
        point = project.points.add(f"{track.id}.gain", tick=960, value=0.5)
        signature = project.signatures.add(tick=15360, numerator=7, denominator=8)
    wrote = as_json(project)
    await project.saved(10)
    assert wrote == await song.stored()
    assert effect.parameter("size") == 0.4
    assert project.sends[send.id].gain_db == -12
    assert project.lanes[f"{track.id}.gain"].min == -60
    assert project.points[point].value == 0.5
    assert project.signatures[signature] == (15360, 7, 8)
    assert [found.id for found in project.tracks] == [bus.id, track.id]


async def test_what_is_not_allowed_raises_and_nothing_is_sent(song: Song, project: Project) -> None:
    """Wrong types, ranges, enums, lengths, unknown and fixed fields raise InvalidValue; the journal stays as it was."""
    track = project.tracks.add(name="Bass")
    clip = project.clips.add(track=track.id, pos=0, in_=960, out=1920)
    marker = project.markers.add(tick=960)
    await project.saved(10)
    before = await song.stored()
    attempts: dict[str, Callable[[], object]] = {
        "gain": lambda: setattr(track, "gain_db", 12),
        "nan": lambda: setattr(track, "pan", float("nan")),
        "flag": lambda: setattr(track, "mute", 1),
        "fixed": lambda: setattr(track, "kind", "midi"),
        "server": lambda: setattr(track, "lock", None),
        "color": lambda: setattr(track, "color", "#FFFFFF"),
        "length": lambda: setattr(track, "name", "𝄞" * 41),
        "fraction": lambda: setattr(clip, "pos", 0.5),
        "crossed": lambda: setattr(clip, "out", 960),
        "before the song": lambda: setattr(clip, "pos", -961),
        "empty span": lambda: setattr(marker, "end", 960),
        "signature": lambda: setattr(project.transport, "signature", (4, 3)),
        "loop": lambda: setattr(project.transport, "loop", (1, 960, 960)),
        "no such track": lambda: project.clips.add(track="t_nowhere"),
        "no such kind": lambda: project.tracks.add(kind="video"),  # type: ignore[arg-type]
        "no such field": lambda: project.tracks.add(volume=3),  # type: ignore[call-arg]
        "second master": lambda: project.tracks.add(kind="master"),
        "velocity": lambda: project.events.add(clip.id, 0, 10, 60, 1.5),
        "tempo": lambda: project.tempo.add(0, 10),
    }
    for name, attempt in attempts.items():
        with pytest.raises(InvalidValue):
            attempt()
        assert project.unsaved == [], name
    await project.saved(10)
    assert await song.stored() == before


async def test_a_transaction_is_one_update_or_nothing(song: Song, project: Project) -> None:
    """Its writes are read back inside, arrive as one update, and vanish as a whole when an exception leaves it."""
    guest = await song.invite("Ben")
    async with backline.open(guest.url, guest.token) as other:
        with project.transaction():
            track = project.tracks.add(name="A")
            track.name = "B"
            assert [found.name for found in project.tracks] == ["B"]
            clip = project.clips.add(track=track.id, out=960)
            clip.in_, clip.out = 2000, 3000
            assert (clip.in_, clip.out) == (2000, 3000)
        assert len(project.unsaved) == 1
        await project.saved(10)
        await until(lambda: clip.id in other.clips, "heard")
        assert other.tracks[track.id].name == "B"
    with pytest.raises(InvalidValue):
        together(project, lambda: setattr(track, "name", "C"), lambda: setattr(clip, "out", 0))
    with pytest.raises(NoSuchEntity):
        together(project, lambda: setattr(track, "name", "D"), lambda: project.tracks["t_nowhere"])
    assert (track.name, clip.out, project.unsaved) == ("B", 3000, [])
    with pytest.raises(backline.TransactionTooLarge):
        together(project, *(partial(project.tempo.add, tick, 120) for tick in range(9000)))
    assert len(project.tempo) == 0


def together(project: Project, *edits: Callable[[], object]) -> None:
    """All edits in one transaction."""
    with project.transaction():
        for edit in edits:
            edit()


async def test_undo_takes_back_own_transactions_alone(song: Song, project: Project) -> None:
    """One undo is one transaction; what another person changed meanwhile stays; redo makes it again."""
    guest = await song.invite("Ben")
    track = project.tracks.add(name="Keys", gain_db=-3)
    await project.saved(10)
    async with backline.open(guest.url, guest.token) as other:
        with project.transaction():
            track.gain_db, track.mute = -12, True
        other.tracks[track.id].pan = 0.5
        await other.saved(10)
        await until(lambda: track.pan == 0.5, "the other's edit")
        assert project.undo()
        assert (track.gain_db, track.mute, track.pan) == (-3, False, 0.5)
        await project.saved(10)
        await until(lambda: other.tracks[track.id].gain_db == -3, "undo is told")
        assert project.redo()
        assert project.undo()
        assert project.undo()
        assert not project.undo()
    with pytest.raises(NoSuchEntity):
        track.name = "gone"


async def test_deleted_things_wait_in_the_trash(project: Project) -> None:
    """delete() hides, restore() brings back; fields of what was never there raise."""
    marker = project.markers.add(tick=0, label="Intro")
    marker.delete()
    assert marker.id not in project.markers
    assert project.markers.trash() == [marker]
    assert project.markers[marker.id].deleted is not None
    marker.restore()
    assert list(project.markers) == [marker]
    point = project.tempo.add(0, 100)
    del project.tempo[point]
    assert point not in project.tempo
    with pytest.raises(NoSuchEntity):
        project.tempo[point]
    with pytest.raises(NoSuchEntity):
        project.tracks["t_nowhere"]
    assert project.tracks.get("t_nowhere") is None


async def test_two_people_write_into_one_note(song: Song, project: Project) -> None:
    """Setting a body rewrites only what differs: the words of both stay, beyond ASCII too."""
    guest = await song.invite("Ben")
    note = project.notes.add(body="é 🥁 louder")
    await project.saved(10)
    async with backline.open(guest.url, guest.token) as other:
        theirs = other.notes[note.id]
        theirs.body, note.body = "é 🥁 louder!", "É 🥁 louder"
        await other.saved(10)
        await project.saved(10)
        await until(lambda: theirs.body == note.body == "É 🥁 louder!", "both")
