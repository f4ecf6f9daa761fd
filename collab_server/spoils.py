"""How often documents were spoiled in this process: one that keeps failing is not loaded for ever."""

from uuid import UUID

SPOILS_MAX = 3
SPOILS_SECONDS = 3600.0
"""A document that was spoiled so often within so long in one process is set aside for an operator."""


class Spoils:
    """When each project's rooms were spoiled, in seconds of the event loop; `started`: when this process was."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._spoils: dict[UUID, list[float]] = {}

    def note(self, project_id: UUID, now: float) -> int:
        """Once more; how often that is, lately."""
        lately = [at for at in self._spoils.get(project_id, ()) if now - at < SPOILS_SECONDS]
        self._spoils[project_id] = [*lately, now]
        return len(lately) + 1

    def last(self, project_id: UUID) -> float:
        """When something may have been lost here: the last time, or when the process started."""
        return max(self._spoils.get(project_id, [self._started]))
