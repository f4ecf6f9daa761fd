"""Who hears what on this node: one handler per project, and the callbacks for a gap.

Whatever a handler raises is logged and goes no further: the next event and the other projects are not its concern.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from presence.events import Event, NodeGone

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Event], None]
Gap: TypeAlias = Callable[[], None]

EVERYWHERE: Final = "backline:all"
PROJECT_PREFIX: Final = "backline:p:"


def channel_of(event: Event) -> str:
    """The channel an event is published on."""
    return EVERYWHERE if isinstance(event, NodeGone) else f"{PROJECT_PREFIX}{event.project_id}"


class Dispatch:
    """Handlers by project. `deliver` and `gap` never raise what a handler raises."""

    __slots__ = ("_gaps", "_handlers")

    def __init__(self) -> None:
        self._handlers: dict[UUID, Handler] = {}
        self._gaps: list[Gap] = []

    def add(self, project_id: UUID, handler: Handler) -> None:
        self._handlers[project_id] = handler

    def remove(self, project_id: UUID) -> None:
        self._handlers.pop(project_id, None)

    def on_gap(self, callback: Gap) -> None:
        self._gaps.append(callback)

    def __contains__(self, project_id: UUID) -> bool:
        return project_id in self._handlers

    def channels(self) -> list[str]:
        return [EVERYWHERE, *(f"{PROJECT_PREFIX}{project_id}" for project_id in self._handlers)]

    def deliver(self, event: Event) -> None:
        """To the project's handler; what concerns no single project goes once to each handler there is."""
        if isinstance(event, NodeGone):
            for each in dict.fromkeys(self._handlers.values()):
                call(partial(each, event))
        elif handler := self._handlers.get(event.project_id):
            call(partial(handler, event))

    def gap(self) -> None:
        for callback in self._gaps:
            call(callback)


def call(action: Callable[[], None]) -> None:
    """Run a handler; what it raises is logged and goes no further."""
    try:
        action()
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a Rust panic of the CRDT library is a BaseException
        log.exception("a bus handler failed")
