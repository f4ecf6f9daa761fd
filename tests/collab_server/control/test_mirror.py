"""The transport as presence: what clients without a control socket are shown."""

from collab_server.control.mirror import SERVER_CLIENT, Mirror
from collab_server.control.stage import Stage
from collab_server.gate.awareness import decode
from collab_server.gate.limits import Limits
from tests.collab_server.lobby import Lobby
from tests.collab_server.rooms import PROJECT


async def test_every_showing_has_a_later_clock_that_everybody_can_read() -> None:
    """However many there are within a second, and wherever they come from: a client passes over what is not later."""
    lobby = Lobby()
    mirror = Mirror({PROJECT: lobby.hosted}, "boot", lambda: 1.5)
    here, there = Stage(PROJECT, state={"playing": True}), Stage(PROJECT, state={"playing": False})
    clocks = []
    for stage in (here, here, there, there, there, here):
        mirror.show(stage)
        (entry,) = decode(lobby.hosted.room.roster.snapshot(), Limits())
        assert entry.client == SERVER_CLIENT
        clocks.append(entry.clock)
    assert clocks[0] < clocks[1] < clocks[2] < clocks[3] < clocks[4] < clocks[5]
    assert clocks[4] - clocks[0] < 10
