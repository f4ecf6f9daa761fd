"""Where a person goes in: the websocket address of a seat, with a fresh ticket where the server wants one."""

import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from loadtest.ask import ask
from loadtest.job import Job, Place
from loadtest.meter import Meter
from loadtest.wire import Dialect


@dataclass(slots=True, frozen=True)
class Doors:
    """All doors of a deployment; seats of a room are dealt over them in turn."""

    dialect: Dialect
    http: str
    ws: tuple[str, ...]
    meter: Meter

    @classmethod
    def of(cls, job: Job, meter: Meter) -> "Doors":
        """The doors a job names."""
        return cls(job.dialect, job.http, job.ws, meter)

    def number(self, seat: int) -> int:
        """Which door a seat uses."""
        return seat % len(self.ws) if self.ws else 0

    def between(self, door: int, seat: int) -> str:
        """The name of the time from an author's door to a seat; "" where there is but one door."""
        if len(self.ws) < 2:
            return ""
        return "near" if door == self.number(seat) else "across"

    async def address(self, place: Place, seat: int) -> str:
        """The address to connect to now. Raises Refused if the API gives no ticket."""
        base = self.ws[self.number(seat)] if self.ws else ""
        if self.http:
            return await self._with_ticket(place, seat, base)
        if self.dialect is Dialect.HOCUSPOCUS:
            return base
        return f"{base}/{quote(place.name)}"

    async def _with_ticket(self, place: Place, seat: int, base: str) -> str:
        began = time.perf_counter_ns()
        token = place.tokens[seat % len(place.tokens)]
        ticket = await ask("POST", f"{self.http}/api/projects/{place.name}/ticket", token, {})
        self.meter.times["http"].record((time.perf_counter_ns() - began) / 1000)
        address = str(ticket["ws_url"])
        if base:
            address = base + urlsplit(address).path
        return f"{address}?{urlencode({'token': ticket['ticket'], 'epoch': ticket['epoch']})}"
