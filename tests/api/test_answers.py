"""Large documents are worked on beside the event loop: everybody else is answered meanwhile."""

import asyncio
import gc
import json
import time
from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

from fastapi import FastAPI

from api.services import Services
from api.studio.snapshots import forked
from persistence.snapshots import Snapshots
from studio.blank import blank, open_doc
from studio.canonical import canonical
from tests.api.people import Meet, Musician

T = TypeVar("T")


async def watched(work: Awaitable[T]) -> tuple[T, float]:
    """What comes of it, and the longest time in seconds for which the event loop did nothing else.

    In the processor's time of this process: what other processes take is not the app's. And the collector rests: what
    thousands of tests have left in this process is not the app's to look through either.
    """
    gap, last = 0.0, time.process_time()

    async def tick() -> None:
        nonlocal gap, last
        while True:
            now = time.process_time()
            gap, last = max(gap, now - last), now
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    gc.disable()
    try:
        return await work, gap
    finally:
        gc.enable()
        ticking.cancel()


def song(clips: int) -> dict[str, Any]:
    """The canonical form of a song with so many clips."""
    doc = open_doc(777)
    doc.apply_update(blank("p", "Song", "u", 0, 1))
    content = canonical(doc)
    clip = {"track": "master", "pos": 960, "length": 960, "name": "A clip with a name", "color": "#aabbcc"}
    content["clips"] = {f"c_{number:012d}": clip for number in range(clips)}
    return content


async def kept(app: FastAPI, who: Musician, project: str, content: dict[str, Any]) -> str:
    """The path of a snapshot with this content."""
    services: Services = app.state.services
    facts: dict[str, Any] = {"kind": "named", "reason": "named", "name": "Large", "parent": None, "epoch": 1, "seq": 1}
    place = UUID(project.rsplit("/", 1)[1])
    made = await Snapshots(services.pool).save(place, author=UUID(who.id), state=b"", canonical=content, **facts)
    return f"{project}/snapshots/{made}"


async def test_a_large_snapshot_is_shown_without_holding_the_loop(app: FastAPI, meet: Meet) -> None:
    """The loop never stands still for half as long as it takes to read the text and to write it again."""
    ann = await meet("Ann")
    content = song(100_000)
    path = await kept(app, ann, await ann.project(), content)
    text = json.dumps(content)
    began = time.process_time()
    json.dumps(json.loads(text))
    alone = time.process_time() - began
    shown, gap = await watched(ann.get(path))
    assert shown.json()["document"] == content
    assert gap < alone / 2


async def test_a_large_fork_is_made_without_holding_the_loop(app: FastAPI, meet: Meet) -> None:
    """The loop never stands still for half as long as the fork's document takes to build."""
    ann = await meet("Ann")
    content = song(10_000)
    path = await kept(app, ann, await ann.project(), content)
    began = time.process_time()
    forked(content, UUID(int=1), "Large", "x/y", ann.id)
    alone = time.process_time() - began
    made, gap = await watched(ann.post(f"{path}/fork"))
    assert made.status_code == 201
    assert gap < alone / 2
