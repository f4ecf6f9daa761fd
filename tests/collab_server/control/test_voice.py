"""Who is in voice, on a stage without a network: what lines are told, and which word is the newest."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

from collab_server.control.stage import Stage
from collab_server.control.voice import VoiceNews
from persistence.voices import Voices
from studio.roles import Role
from tests.collab_server.control.test_line import Wire, line

ADA, BEN = UUID(int=7), UUID(int=8)


class Record:
    """A record that answers when it is let, with what it held when it was asked."""

    def __init__(self) -> None:
        self.users: tuple[UUID, ...] = ()
        self.asked: list[list[UUID]] = []
        self.was_asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def here(self, project_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        self.asked.append(list(project_ids))
        self.was_asked.set()
        found = {project: self.users for project in project_ids if self.users}
        await self.open.wait()
        return found


def stage_of(*roles: Role | None) -> tuple[Stage, VoiceNews, Record, list[Wire], list[Coroutine[Any, Any, Any]]]:
    """A stage with a line for each role; what is begun beside is kept, to be run."""
    stage, record, begun = Stage(uuid4()), Record(), list[Coroutine[Any, Any, Any]]()
    wires = []
    for role in roles:
        ours, _, wire = line(role)
        stage.lines.add(ours)
        wires.append(wire)
    return stage, VoiceNews(cast(Voices, record), begun.append), record, wires, begun


def voices(wire: Wire) -> list[list[str]]:
    """The users of every voice message."""
    return [told["users"] for told in wire.told() if told["t"] == "voice"]


async def test_lines_hear_at_once() -> None:
    """Whoever is in hears before anything is read, viewers too; whoever is not let in yet hears nothing."""
    stage, news, record, (viewer, stranger), begun = stage_of(Role.VIEWER, None)
    record.users = (ADA,)
    news.heard(stage, (ADA,))
    assert (voices(viewer), voices(stranger), record.asked) == ([[str(ADA)]], [], [])
    await asyncio.gather(*begun)
    assert record.asked == [[stage.project_id]]
    assert voices(viewer) == [[str(ADA)]], "what is the same is not read out again"


async def test_the_same_people_are_told_again() -> None:
    """It means that something about them is another now: somebody was muted."""
    stage, news, record, (ours,), begun = stage_of(Role.EDITOR)
    record.users = (ADA,)
    for _ in range(2):
        news.heard(stage, (ADA,))
    await asyncio.gather(*begun)
    assert voices(ours) == [[str(ADA)], [str(ADA)]]


async def test_words_in_the_wrong_order_are_mended() -> None:
    """Two nodes of the HTTP app tell of two commits in reverse: the record decides."""
    stage, news, record, (ours,), begun = stage_of(Role.EDITOR)
    record.users = (ADA, BEN)
    news.heard(stage, (ADA, BEN))
    news.heard(stage, (ADA,))
    await asyncio.gather(*begun)
    assert stage.voice == (ADA, BEN)
    assert voices(ours)[-1] == [str(ADA), str(BEN)]


async def test_what_was_read_before_a_word_came_is_old() -> None:
    """An answer that was under way does not undo it."""
    stage, news, record, (ours,), begun = stage_of(Role.EDITOR)
    record.open.clear()
    looking = asyncio.create_task(news.look([stage]))
    await record.was_asked.wait()
    record.users = (BEN,)
    news.heard(stage, (BEN,))
    record.open.set()
    await asyncio.gather(looking, *begun)
    assert voices(ours) == [[str(BEN)]]


async def test_a_newcomer_is_told_once_it_is_known() -> None:
    """Nothing before somebody has looked; an empty room is news as well."""
    stage, news, _, (ours,), _ = stage_of(Role.EDITOR)
    (there,) = stage.lines
    stage.introduce(there)
    assert voices(ours) == []
    await news.look([stage])
    assert voices(ours) == [[]]
    stage.introduce(there)
    assert voices(ours) == [[], []]


async def test_nobody_listening_is_nothing_to_read() -> None:
    """A node without control sockets asks the database nothing."""
    _, news, record, _, _ = stage_of()
    await news.look([])
    assert record.asked == []
