"""Tests of the inquiry: was work lost that had been told?"""

import asyncio
from uuid import UUID, uuid4

import pytest

from collab_server.loss import Inquiry, Loss
from tests.collab_server.peer import until

SOON = 0.2


class Others:
    """The other nodes: those that had people here, those of them that answer, and how often they were asked."""

    def __init__(self, *nodes: UUID, alive: bool = False) -> None:
        self.nodes = set(nodes)
        self.alive = alive
        self.asked = 0
        self.failing = False
        self.heard: dict[UUID, float] = {}
        self.inquiry = Inquiry(self._ask, self._nodes, self.heard)

    def found(self) -> Loss:
        """What is known now."""
        return self.inquiry.found

    def _ask(self) -> None:
        self.asked += 1
        if self.alive:
            self.heard.update(dict.fromkeys(self.nodes, asyncio.get_running_loop().time()))

    async def _nodes(self) -> set[UUID]:
        if self.failing:
            raise ConnectionError("the database is away")
        return self.nodes


async def test_a_node_that_had_people_here_and_answers_no_more_is_a_loss() -> None:
    """What it had told may come back from those who heard it, for a while."""
    others = Others(uuid4())
    assert others.inquiry.doubted()
    await others.inquiry.run(SOON)
    assert others.found() is Loss.HAPPENED
    assert not others.inquiry.doubted()


@pytest.mark.parametrize("nodes", [(), (uuid4(), uuid4())])
async def test_when_everybody_answers_nothing_was_lost(nodes: tuple[UUID, ...]) -> None:
    """Nodes that are there commit what they told; the next doubt is asked about anew."""
    others = Others(*nodes, alive=True)
    assert others.inquiry.doubted()
    await others.inquiry.run(SOON)
    assert others.found() is Loss.EXCLUDED
    assert others.inquiry.doubted()
    assert others.found() is Loss.UNKNOWN


async def test_what_is_doubted_meanwhile_is_asked_for_anew() -> None:
    """The answer has to be younger than every doubt that it answers; one inquiry at a time finds it."""
    others = Others(alive=True)
    assert others.inquiry.doubted()
    running = asyncio.create_task(others.inquiry.run(SOON))
    await until(lambda: others.asked)
    assert not others.inquiry.doubted()
    await running
    assert others.asked == 2


async def test_without_an_answer_nothing_is_known() -> None:
    """The database was away: the next doubt asks again."""
    others = Others(uuid4())
    others.failing = True
    assert others.inquiry.doubted()
    with pytest.raises(ConnectionError):
        await others.inquiry.run(SOON)
    assert others.found() is Loss.UNKNOWN
    assert others.inquiry.doubted()


async def test_what_may_have_been_lost_at_a_start_counts_until_then() -> None:
    """The process before may have been killed: nobody has to be asked for that."""
    others = Others(alive=True)
    others.inquiry.suppose(asyncio.get_running_loop().time() + 60)
    assert others.found() is Loss.HAPPENED
    assert not others.inquiry.doubted()
    others.inquiry.suppose(asyncio.get_running_loop().time() - 1)
    assert others.found() is Loss.UNKNOWN
