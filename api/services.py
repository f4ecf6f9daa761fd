"""What a running app is made of, and the unit of work of one request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.drafts import Drafts
from api.limits import AccountLimit, GuestLimit
from api.metrics import Metrics
from api.settings import Settings
from api.voice import Voice
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
    voice: Voice
    drafts: Drafts
    made: AccountLimit
    """Projects and invitations."""
    heavy: AccountLimit
    """What takes or makes a whole document."""


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
    async with unit(given) as unit_of_work:
        yield unit_of_work


@asynccontextmanager
async def unit(given: Services) -> AsyncIterator[Work]:
    """The same, for handlers that ask somebody else before or after."""
    async with given.pool.acquire() as connection:
        done = Work(connection)
        async with connection.transaction():
            yield done
    for event in done.announced:
        given.bus.publish(event)
        given.voice.heard(event)


Unit = Annotated[Work, Depends(work, scope="function")]
