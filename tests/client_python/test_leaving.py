"""What is left of a project that was left, and the README's own example."""

import asyncio
import gc
import re
import weakref
from pathlib import Path

import backline
from tests.client_python.conftest import Song
from tests.collab_server.peer import until

README = Path(__file__).parents[2] / "client" / "python" / "README.md"


async def test_a_closed_project_leaves_no_cycle(song: Song) -> None:
    """Its document is gone with the last reference: a collector in another thread never meets a pycrdt object."""
    gc.collect()
    gc.disable()
    try:
        document = await opened_and_left(song)
        await asyncio.sleep(0)
        assert document() is None
    finally:
        gc.enable()


async def opened_and_left(song: Song) -> "weakref.ref[object]":
    """The document of a project that was opened, edited, read and left."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        stream = project.changes(own=True)
        project.tracks.add(name="A").name = "B"
        project.undo()
        await anext(stream)
        await project.saved(10)
        return weakref.ref(project.transport.document)


async def test_a_closed_project_can_still_be_read(song: Song) -> None:
    """Values stay readable after the block; edits raise Closed."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        project.transport.bpm = 111
    assert project.transport.bpm == 111
    assert project.people == []


async def test_the_readmes_example_runs(song: Song) -> None:
    """Copied as it is, it writes its beat into the document and then listens."""
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, object] = {}
    exec(compile(code[1], str(README), "exec"), names)
    main = names["main"]
    assert callable(main)
    running = asyncio.create_task(main(song.owner.url, song.owner.token))
    try:
        await until(lambda: saved(song), "the beat is stored")
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait([running])


async def saved(song: Song) -> bool:
    """Whether the example's edits are all there."""
    stored = await song.stored()
    gains = {track["gain_db"] for track in stored["tracks"].values() if track["name"] == "Drums"}
    return len(stored["events"]) == 4 and gains == {-6}
