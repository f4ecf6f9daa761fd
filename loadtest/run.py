"""A run from its first request to its outcome: set the stage, hire workers, play, watch, verify."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from loadtest.ask import ask, told
from loadtest.crew import Crew
from loadtest.errors import Refused, Unreachable
from loadtest.find_limit import Search
from loadtest.job import Place
from loadtest.link import CONNECT_SECONDS
from loadtest.options import Options
from loadtest.outcome import Outcome
from loadtest.progress import Progress
from loadtest.record import Record
from loadtest.setting import set_stage
from loadtest.verdict import BUSY
from loadtest.watch import Watch

LEAD = 0.3  # seconds between the order to start and the start
DRAW_EVERY = 0.5
VERIFY_GRACE = 30.0
READY_SECONDS = 180.0
GATHERING_SECONDS = 15.0  # for everybody to come in before a search
SAMPLE_GRACE = 0.15  # seconds until a second's figures are here
STEP_WARM_UP = 0.3  # of a step of the search


class Run:
    """One load test."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self.options, self.progress, self.record = options, progress, Record()
        self.crew = Crew(self._hear)
        self.search = Search(options.bounds["p99_ms"], options.rate) if options.scenario.name == "find-limit" else None
        self._ready: set[int] = set()
        self._found: dict[int, dict[str, Any]] = {}
        self._failures: Counter[str] = Counter()
        self._changed = asyncio.Event()

    async def go(self) -> Outcome:
        """Do it all. Raises LoadtestError if it cannot be run."""
        places = await set_stage(self.options, self.progress.say)
        ws = self.options.ws or (await _ticket_door(self.options, places[0]),)
        if not self.options.http:
            await _answers(ws)
        try:
            await self._prepare(places)
            return await self._play(ws)
        finally:
            self.progress.done()
            await self.crew.dismiss()

    async def _prepare(self, places: list[Place]) -> None:
        options = self.options
        self.progress.say(f"{options.processes} workers fill {options.rooms} rooms for {options.people} people each")
        await self.crew.hire(options, places)
        await self._until(lambda: len(self._ready) == options.processes, READY_SECONDS)
        if len(self._ready) < options.processes:
            raise Unreachable(next(iter(self._failures), "The rooms could not be prepared in time."))

    async def _play(self, ws: tuple[str, ...]) -> Outcome:
        began, started = time.monotonic() + LEAD, datetime.now(UTC).isoformat(timespec="seconds")
        self.crew.tell(start=began)
        watch = asyncio.create_task(Watch(self.options, ws, self.record).run(began))
        drawing = asyncio.create_task(self._draw(began))
        try:
            if self.search is not None:
                await self._search(began)
            else:
                await self._until(lambda: self._complete, self.options.duration + LEAD)
            played = time.monotonic() - began
            await self._until(lambda: self._complete, self.options.settle + VERIFY_GRACE)
        finally:
            await self._end(watch, drawing)
        return Outcome(self.options, self.record, self._sum(), played, started, self.search, tuple(self._failures))

    async def _end(self, *helpers: "asyncio.Task[None]") -> None:
        for helper in helpers:
            helper.cancel()
        for result in await asyncio.gather(*helpers, return_exceptions=True):
            if isinstance(result, Exception):
                self._failures[f"A part of the harness failed: {type(result).__name__}: {result}"] += 1

    async def _search(self, began: float) -> None:
        """Steps of the search until the limit is found or time is up."""
        search, step = self.search, self.options.step
        assert search is not None
        await self._until(lambda: self._everybody_in, max(0.0, began - time.monotonic()) + GATHERING_SECONDS)
        while not search.found and not self._complete and time.monotonic() + step < began + self.options.duration:
            for hand in self.crew.hands:
                share = len(range(hand.number, self.options.rooms, self.options.processes)) / self.options.rooms
                hand.tell(rate=search.rate * share)
            first = time.monotonic() - began + step * STEP_WARM_UP
            await asyncio.sleep(step)
            last = int(time.monotonic() - began)
            await asyncio.sleep(SAMPLE_GRACE)
            self._judge(search, range(int(first) + 1, last))
        self.crew.tell(rate=0)
        self.crew.tell(stop=True)

    @property
    def _everybody_in(self) -> bool:
        newest = self.record.newest()
        people = self.options.rooms * self.options.people
        return newest >= 0 and self.record.seconds[newest].connected >= people

    def _judge(self, search: Search, seconds: range) -> None:
        seen = [self.record.seconds[at] for at in seconds if at in self.record.seconds]
        length = max(1, len(seen))
        edits, deliveries = (sum(second.counts[name] for second in seen) / length for name in ("edits", "deliveries"))
        busy = any(share >= BUSY for share in self.record.busiest(length).values())
        errors = sum(second.errors.total() for second in seen)
        p99 = self.record.times("delivery", seconds).percentile(0.99)
        step = search.judge(edits, deliveries, p99, errors, busy)
        told = f"p99 {p99:.1f} ms" if p99 is not None else "nothing arrived"
        self.progress.say(
            f"  {step.rate:8.0f} edits/s  {deliveries:8.0f} deliveries/s  {told}  {step.broke and 'too much'}"
        )

    @property
    def _complete(self) -> bool:
        return len(self._found) == len(self.crew.hands)

    def _hear(self, worker: int, message: dict[str, Any]) -> None:
        if "sample" in message:
            self.record.add(worker, message["sample"])
        elif "ready" in message:
            self._ready.add(worker)
        elif "finding" in message:
            self._found[worker] = message["finding"]
        elif "error" in message:
            self._failures[str(message["error"])] += 1
        elif worker not in self._found:
            self._failures[f"A worker process ended too early (exit code {message['gone']})."] += 1
            self._found[worker] = {}
        self._changed.set()

    async def _until(self, reached: Callable[[], bool], seconds: float) -> None:
        """Wait for what workers tell; no longer than `seconds`."""
        end = time.monotonic() + seconds
        while not reached() and (left := end - time.monotonic()) > 0:
            if len(self._ready) < len(self.crew.hands) and self._failures:
                return
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    async def _draw(self, began: float) -> None:
        while True:
            elapsed = time.monotonic() - began
            doing = "verifying" if elapsed > self.options.duration else ""
            self.progress.show(self.record, max(0.0, elapsed), self.options.duration, doing)
            await asyncio.sleep(DRAW_EVERY)

    def _sum(self) -> dict[str, Any]:
        """All workers' findings in one; a worker that told none leaves its rooms unverified."""
        total: dict[str, Any] = {"problems": []}
        names = ("rooms", "unverified", "checked", "missing", "unsaved", "members", "different", "outside")
        for name in names:
            total[name] = sum(found.get(name, 0) for found in self._found.values())
        for found in self._found.values():
            total["problems"] += found.get("problems", [])
        silent = self.options.rooms - total["rooms"]
        total["rooms"], total["unverified"] = self.options.rooms, total["unverified"] + silent
        return total


async def _ticket_door(options: Options, place: Place) -> str:
    """The websocket address that the API's tickets name, without the room."""
    try:
        ticket = await ask("POST", f"{options.http}/api/projects/{place.name}/ticket", place.tokens[0], {})
    except Refused as refusal:
        raise Unreachable(f"{options.http} gives no ticket: {refusal}.") from None
    return str(ticket["ws_url"]).rpartition("/")[0].removesuffix("/y")


async def _answers(ws: tuple[str, ...]) -> None:
    """Somebody listens there. No websocket is tried: one that comes and goes at once is more than some servers bear."""
    for url in ws:
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                port = parts.port or (443 if parts.scheme == "wss" else 80)
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{url} cannot be used: {told(error)}.") from None
        writer.close()
