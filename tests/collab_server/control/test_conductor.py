"""The one writer: every id once, every command for the state it was meant for, and the document's edits in between."""

from typing import Any

from collab_server.control.conductor import ANSWERS_KEPT, Conductor
from collab_server.control.messages import Ask
from studio.transport import Cause, Loop, Mode
from studio.transport_commands import Command, Moment, Play, Seek, SetLoop, Stop

SONG: dict[str, Any] = {"transport": {"bpm": 120, "loop": [1, 0, 3840], "count_in": 1}}


def ask(name: str, command: Command, epoch: str | None = None, if_seq: int | None = None) -> Ask:
    """A command as it was read."""
    return Ask(name, epoch, if_seq, command)


def at(now: float, by: str = "ada") -> Moment:
    """A decision at `now`, due 250 ms later."""
    return Moment(now, 250, by)


def test_a_new_reign_begins_stopped_with_the_songs_loop() -> None:
    """Where the one before has stopped; the count-in is the song's unless a command says otherwise."""
    conductor = Conductor("e", 960, SONG, 1000)
    assert (conductor.state.pos0, conductor.state.loop, conductor.state.seq) == (960, Loop(True, 0, 3840), 1)
    conductor.command(ask("a", Play()), at(2000))
    assert (conductor.state.mode, conductor.state.count_in_ms) == (Mode.COUNTING_IN, 2000)
    conductor.command(ask("b", Stop()), at(2100))
    conductor.command(ask("c", Play(count_in=0)), at(2200))
    assert (conductor.state.mode, conductor.state.t0) == (Mode.PLAYING, 2450)
    assert conductor.position(3450) == (960 + 1920)


def test_an_id_counts_once_for_each_person() -> None:
    """The same answer again, and nothing happens; another person's command of the same id is another one."""
    conductor = Conductor("e", 0, SONG, 0)
    first = conductor.command(ask("x", Seek(10)), at(1))
    conductor.command(ask("y", Seek(20)), at(2))
    assert conductor.command(ask("x", Seek(10)), at(3)) == first
    assert conductor.state.pos0 == 20
    conductor.command(ask("x", Seek(30)), at(4, "bob"))
    assert (conductor.state.pos0, conductor.state.by) == (30, "bob")
    for number in range(ANSWERS_KEPT):
        conductor.command(ask(str(number), Seek(number)), at(5))
    conductor.command(ask("x", Seek(10)), at(6))
    assert conductor.state.pos0 == 10, "so old an id is forgotten"


def test_what_was_meant_for_another_state_is_refused_with_this_one() -> None:
    """By number or by reign; a refused id may be asked again."""
    conductor = Conductor("e", 0, SONG, 0)
    conductor.command(ask("a", Seek(10)), at(1))
    refused = conductor.command(ask("b", Seek(20), if_seq=1), at(2))
    assert (refused["t"], refused["code"], refused["state"]["seq"]) == ("nack", "stale", 2)
    assert conductor.command(ask("b", Seek(20), epoch="d", if_seq=2), at(3))["code"] == "stale"
    assert conductor.command(ask("b", Seek(20), epoch="e", if_seq=2), at(4))["t"] == "ack"


def test_the_document_is_followed() -> None:
    """Tempo and loop are new states, all else is none. A loop that was commanded holds until the song's is edited."""
    conductor = Conductor("e", 0, SONG, 0)
    assert not conductor.follow(SONG, at(1))
    faster = {"transport": {**SONG["transport"], "bpm": 150}}
    assert conductor.follow(faster, at(2))
    assert (conductor.state.cause, conductor.state.by) == (Cause.TEMPO, None)
    conductor.command(ask("a", SetLoop(Loop(False, 0, 960))), at(3))
    assert not conductor.follow(faster, at(3))
    assert conductor.follow({"transport": {"bpm": 150, "loop": [1, 960, 1920]}}, at(4))
    assert (conductor.state.loop, conductor.state.cause) == (Loop(True, 960, 1920), Cause.LOOP)
