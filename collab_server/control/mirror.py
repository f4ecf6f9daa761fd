"""The transport as presence, for Yjs clients that know no control socket: `{server: true, transport, clock}`.

It stands under the server's own client id, as if a node without people had said it, on every node where somebody
listens to the transport.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from collab_server.control.stage import Stage
from collab_server.gate.awareness import Entry
from collab_server.hosted import Hosted

SERVER_CLIENT: Final = 1
MIRROR: Final = UUID(int=1)
"""The node that is not one."""
SINCE: Final = 1_767_225_600
"""2026-01-01, in seconds since 1970: the clock begins there, so that another node's goes on where this one's was."""
REFRESH_SECONDS: Final = 10.0
"""Presence that nobody repeats is forgotten after 30 s."""


class Mirror:
    """Shows stages in rooms."""

    def __init__(self, rooms: Mapping[UUID, Hosted], boot: str, now: Callable[[], float]) -> None:
        self._rooms = rooms
        self._boot = boot
        self._now = now

    def show(self, stage: Stage) -> None:
        """Say where the transport is, if its room is open here."""
        hosted = self._rooms.get(stage.project_id)
        if hosted is None or hosted.closed or stage.state is None:
            return
        told = hosted.room.roster.told(SERVER_CLIENT)  # another stage has shown the project here before, perhaps
        stage.shown = max(stage.shown + 1, told + 1, int(time.time()) - SINCE)
        clock = {"boot": self._boot, "mono": round(self._now(), 3), "at": time.time_ns() // 1_000_000}
        state = json.dumps({"server": True, "transport": stage.state, "clock": clock}, separators=(",", ":"))
        entry = Entry(SERVER_CLIENT, stage.shown, state)
        hosted.perform(hosted.room.attendance.hear_node(MIRROR, [entry], time.monotonic()))

    def hide(self, stage: Stage) -> None:
        """Nobody listens here any more."""
        hosted = self._rooms.get(stage.project_id)
        if hosted is not None and not hosted.closed:
            hosted.perform(hosted.room.attendance.leave(MIRROR))
