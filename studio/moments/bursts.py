"""What somebody did in one go: changes of one person without a longer pause make one entry of the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

PAUSE: Final = timedelta(minutes=1)
"""Who does nothing for longer begins something new."""
SPAN: Final = timedelta(minutes=10)
"""Nothing lasts longer than this: who never pauses would have one moment alone to go back to."""


class Step(NamedTuple):
    """One author's part of a commit; `id` grows with time, `paths` are "root/id/key"."""

    id: int
    seq: int
    at: datetime
    author: UUID | None
    origin: str
    edits: int
    paths: Sequence[str]


@dataclass(slots=True)
class Burst:
    """What one person did, from row `first` to row `last` of the journal; others may have worked in between."""

    author: UUID | None
    origin: str
    first: int
    last: int
    began: datetime
    ended: datetime
    edits: int = 0
    paths: set[str] = field(default_factory=set)

    def holds(self, at: datetime) -> bool:
        """Whether a step of that time, earlier than all so far, still belongs to it."""
        return self.began - at <= PAUSE and self.ended - at <= SPAN

    def take(self, step: Step) -> None:
        self.first, self.began = step.seq, step.at
        self.edits += step.edits
        self.paths.update(step.paths)


@dataclass(slots=True)
class Bursts:
    """Gathers steps, the newest first, into at most `limit` bursts."""

    limit: int
    found: list[Burst] = field(default_factory=list)
    _open: dict[tuple[UUID | None, str], Burst] = field(default_factory=dict)

    def take(self, step: Step) -> bool:
        """Takes it in; False when it would begin a burst too many: it and all before it are for the next page.

        What is under way there is cut in two, so that every step is on one page.
        """
        key = step.author, step.origin
        burst = self._open.get(key)
        if burst is None or not burst.holds(step.at):
            if len(self.found) == self.limit:
                return False
            burst = self._open[key] = Burst(step.author, step.origin, step.seq, step.seq, step.at, step.at)
            self.found.append(burst)
        burst.take(step)
        return True
