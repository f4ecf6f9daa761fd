"""The journal's writer: gathers what many rooms have pending and commits it at once, one flush in flight.

An edit is acknowledged only after its commit. A commit whose outcome is unknown (the connection broke) is looked up
before it is tried again: a row with our very body right behind what we know is ours.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from uuid import UUID

import structlog

from collab_server.hosted import Hosted
from collab_server.metrics import Metrics
from collab_server.pending import Flight
from collab_server.settings import CollabSettings
from persistence.errors import TRANSIENT, PersistenceError
from persistence.journal import Batch, Journal, Refused

Outcome = dict[UUID, int | Refused]


RETRY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)
LATE_SECONDS = 2.0
"""A commit that takes longer counts as failing: a database that is paused or cut off gives no error for a long time."""


class Writer:
    """Commits flights; `landed(hosted, flight, seq)` hears of every commit, `refused(hosted, reason)` of the others.

    `recovered` hears of the first commit after a failure: what the database had to tell meanwhile may be lost.
    """

    def __init__(
        self,
        journal: Journal,
        settings: CollabSettings,
        metrics: Metrics,
        landed: Callable[[Hosted, Flight, int | None], Awaitable[None]],
        refused: Callable[[Hosted, Refused], None],
        recovered: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._metrics = metrics
        self._landed = landed
        self._refused = refused
        self._recovered = recovered
        self._waiting: list[Hosted] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._log = structlog.get_logger("writer")
        self._failed_at: float | None = None
        self._started_at: float | None = None
        self.in_flight_bytes = 0

    def record(self, hosted: Hosted) -> None:
        """A room has something pending."""
        self._waiting.append(hosted)
        self._wake.set()
        self._idle.clear()

    @property
    def unsaved_bytes(self) -> int:
        """What is applied but not committed, in this process."""
        return self.in_flight_bytes + sum(hosted.room.pending.size for hosted in self._waiting)

    @property
    def failing_since(self) -> float | None:
        """Since when nothing could be committed, because a commit failed or takes too long; None while they succeed."""
        if self._failed_at is not None:
            return self._failed_at
        started = self._started_at
        return started if started is not None and time.monotonic() - started > LATE_SECONDS else None

    @property
    def lag_seconds(self) -> float:
        """For how long commits have been failing; 0 while they succeed."""
        since = self.failing_since
        return 0.0 if since is None else time.monotonic() - since

    async def idle(self) -> None:
        """Return once everything recorded so far is committed."""
        await self._idle.wait()

    async def run(self) -> None:
        """Flush for ever."""
        loop = asyncio.get_running_loop()
        taken = loop.time()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(max(0.0, taken + self._settings.journal_gather_seconds - loop.time()))
            taken = loop.time()
            waiting, self._waiting = self._waiting, []
            await self._flush([(hosted, self._take(hosted)) for hosted in waiting if not hosted.closed])
            if not self._waiting:
                self._idle.set()

    def _take(self, hosted: Hosted) -> Flight:
        hosted.recording = False
        hosted.flying = True
        flight = hosted.room.take()
        due = hosted.chores.compaction_due(self._settings)
        if due and flight.batch is not None and not hosted.behind and not hosted.room.gathering:
            self._add_state(hosted, flight)
        return flight

    def _add_state(self, hosted: Hosted, flight: Flight) -> None:
        try:
            flight.state = hosted.room.state()
        except BaseException as error:  # yrs panics are BaseExceptions
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            hosted.hub.spoiled(hosted, f"{type(error).__name__} while encoding")

    async def _flush(self, flights: list[tuple[Hosted, Flight]]) -> None:
        self.in_flight_bytes = sum(flight.size for _, flight in flights)
        heads = {hosted.project_id: hosted.room.head for hosted, _ in flights}
        outcome = await self._commit([(hosted.room.head, flight.batch) for hosted, flight in flights if flight.batch])
        self.in_flight_bytes = 0
        if any(hosted.room.gathering for hosted, _ in flights):
            await asyncio.sleep(0)  # until before the next ticks: what is told of the commit goes with what they tell
        for hosted, flight in flights:
            hosted.flying = False
            result = outcome[hosted.project_id] if flight.batch else None
            if isinstance(result, Refused):
                self._refused(hosted, result)
                continue
            if flight.batch:
                self._metrics.committed_updates += flight.batch.edits
            if result != heads[hosted.project_id] + 1:
                flight.state = None  # it lacks the rows of other nodes that came in between
            try:
                await self._landed(hosted, flight, result)
            except Exception as error:  # whatever goes wrong in one room is that room's alone
                self._log.exception("room failed after its commit", project=str(hosted.project_id))
                hosted.hub.spoiled(hosted, f"{type(error).__name__} after a commit")

    async def _commit(self, expected: list[tuple[int, Batch]]) -> Outcome:
        """Commit batches, each with the head it was made on, however often the database has to be asked."""
        outcome: Outcome = {}
        delays = chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1]))
        unsure = False
        while expected:
            started = self._started_at = time.monotonic()
            try:
                if unsure:
                    outcome |= await self._landed_already(expected)
                    expected = [(head, batch) for head, batch in expected if batch.project_id not in outcome]
                outcome |= await self._journal.append([batch for _, batch in expected]) if expected else {}
            except TRANSIENT as error:
                unsure = True
                self._failed_at = self._failed_at or started
                self._metrics.commit_failures += 1
                self._log.warning("commit failed", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(next(delays))
                continue
            failed = self.failing_since is not None
            self._failed_at = self._started_at = None
            if failed:
                self._recovered()
            self._metrics.commits += 1
            self._metrics.commit_seconds.observe(time.monotonic() - started)
            break
        return outcome

    async def _landed_already(self, expected: list[tuple[int, Batch]]) -> Outcome:
        """The batches that were committed although nobody told us, by their row's number."""
        found: Outcome = {}
        for head, batch in expected:
            try:
                rows = await self._journal.tail(batch.project_id, head)
            except PersistenceError:
                continue  # gone, or compacted by another process: the append will say
            for row in rows:
                if row.body == batch.body:
                    found[batch.project_id] = row.seq
        return found
