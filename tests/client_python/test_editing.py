"""Edits of a Python client: typed, checked before anything is sent, saved when the server says so."""

import backline
from tests.client_python.conftest import Song


async def test_what_is_saved_stands_in_the_document(song: Song) -> None:
    """Tracks, clips, markers, notes, tempo and settings are in the committed document when saved() returns."""
    async with backline.open(song.owner.url, song.owner.token) as project:
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
    assert stored == project.json()
    assert stored["tracks"][drums.id] == {**drums_as_stored(drums), "gain_db": -6}
    assert stored["clips"][clip.id]["out"] == 3840
    assert stored["events"] == {event: [0, 120, 36, 0.9]}
    assert stored["markers"][marker.id]["by"] == song.owner.id
    assert stored["notes"][note.id]["body"] == "más fuerte 🥁"
    assert stored["tempo"] == {point: [7680, 90, 0]}
    assert stored["transport"]["bpm"] == 128


def drums_as_stored(track: backline.Track) -> dict[str, object]:
    """What the server holds of a new track."""
    return {
        "kind": "midi",
        "role": "drums",
        "name": "Drums",
        "color": track.color,
        "order": track.order,
        "gain_db": 0,
        "pan": 0,
        "mute": False,
        "output": "master",
        "deleted": None,
    }
