"""Who is in the voice room, as a stage's lines are told. Rooms without a control socket cost nothing.

What the HTTP app says is told at once. It may be late or in the wrong order, or not come at all: so the record is read
after it, when a stage opens, when the bus comes back, and once in a while for all stages together.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from collab_server.control.stage import Stage
from persistence.voices import Voices


class VoiceNews:
    """Tells stages. Everything runs in the event loop."""

    def __init__(self, voices: Voices, start: Callable[[Coroutine[Any, Any, Any]], object]) -> None:
        self._voices = voices
        self._start = start

    def heard(self, stage: Stage, users: tuple[UUID, ...]) -> None:
        """The HTTP app says who is there now, or that something about them has changed."""
        stage.voice_heard += 1
        stage.learn_voice(users)
        self._start(self.look([stage]))

    async def look(self, stages: Sequence[Stage]) -> None:
        """Read who is there; whoever was told something newer meanwhile is not told this. Raises TRANSIENT."""
        heard = [stage.voice_heard for stage in stages]
        if not stages:
            return
        found = await self._voices.here([stage.project_id for stage in stages])
        for stage, count in zip(stages, heard, strict=True):
            users = found.get(stage.project_id, ())
            if stage.voice_heard == count and stage.voice != users:
                stage.learn_voice(users)
