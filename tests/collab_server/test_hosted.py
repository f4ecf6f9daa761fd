"""Tests of a room with its surroundings, beside the event loop and in it."""

from dataclasses import replace
from uuid import uuid4

from collab_server.connection import Connection
from collab_server.dialects.yws import YWebsocket
from collab_server.effects import Try
from collab_server.join_state import EMPTY_VECTOR
from collab_server.wire import encode_step1, encode_update
from studio.restriction import Only, Restriction
from tests.collab_server.lobby import Lobby, Wire
from tests.collab_server.peer import until
from tests.collab_server.rooms import PROJECT, Person


def enter(lobby: Lobby) -> tuple[Connection, Wire]:
    """Somebody new comes in."""
    made = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    return made, Wire(made, lobby.settings.limits.outbox_bytes_max)


async def test_whoever_waits_for_a_shadow_that_cannot_be_made_comes_back() -> None:
    """Nobody is held for good: the restricted are sent away for now, others stay, and the next trial starts anew."""
    lobby = Lobby()
    room = lobby.hosted.room
    _, free = enter(lobby)
    lobby.restriction = Restriction(Only.MIX)
    held, line = enter(lobby)
    assert held.member is not None
    update = Person(10).know(room.state()).field("tracks", "master", "gain_db", -2.0)
    effect = room.trials.later(held.member, update, False)
    assert isinstance(effect, Try)
    lobby.hosted.perform((replace(effect, state=b"no document"),))
    await until(lambda: line.closed)
    assert line.closed == (1013, "this can't be decided now: come back")
    assert (room.trials.running, free.closed) == (False, None)
    again, line = enter(lobby)
    again.received(encode_update(update))
    await until(lambda: room.doc["tracks"]["master"]["gain_db"] == -2)
    assert line.closed is None


async def test_what_only_some_hear_keeps_nobody_else_alive() -> None:
    """A stateless message is no word to those whose dialect has none, nor to whoever said it."""
    lobby = Lobby()
    speaker, _ = enter(lobby)
    assert speaker.member is not None
    lobby.hosted.spoken_at = -1.0
    lobby.hosted.say(speaker.member, "hello")
    assert lobby.hosted.spoken_at == -1.0


async def test_what_followers_hear_keeps_nobody_else_alive() -> None:
    """Whoever has not asked for the document hears nothing of it, and is spoken to alone, again and again."""
    lobby = Lobby()
    newcomer, line = enter(lobby)
    line.drain()
    for now in (1000.0, 1020.0):
        line.frames += 1
        lobby.hosted.spoken_at = now
        assert newcomer.feel_pulse(now) is not None
        assert line.drain() == YWebsocket().keep_alive()
    newcomer.received(encode_step1(EMPTY_VECTOR))
    line.drain()
    line.frames += 1
    lobby.hosted.spoken_at = 1040.0
    newcomer.feel_pulse(1040.0)
    assert line.drain() == b""
