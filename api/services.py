"""What a running app is made of, and the unit of work of one request."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.limits import GuestLimit
from api.metrics import Metrics
from api.settings import Settings
from persistence.pool import Connection, Pool
from presence.bus import Bus
from presence.events import Event


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may need; made once by `running`."""

    settings: Settings
    pool: Pool
    bus: Bus
    guests: GuestLimit
    metrics: Metrics


@dataclass(slots=True)
class Work:
    """One request's transaction, and the events that become true when it commits."""

    connection: Connection
    announced: list[Event] = field(default_factory=list)

    def announce(self, event: Event) -> None:
        """Published after the commit; forgotten if there is none."""
        self.announced.append(event)


def services(request: Request) -> Services:
    """The app's services."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


Given = Annotated[Services, Depends(services)]


async def work(given: Given) -> AsyncIterator[Work]:
    """A transaction around the handler: committed before the answer leaves, rolled back when the handler raises."""
    async with given.pool.acquire() as connection:
        unit = Work(connection)
        async with connection.transaction():
            yield unit
    for event in unit.announced:
        given.bus.publish(event)


Unit = Annotated[Work, Depends(work, scope="function")]
