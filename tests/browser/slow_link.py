"""A network of one's own between browsers and the collab server: delay, jitter and spikes, in both directions."""

import asyncio
import random
from contextlib import suppress
from typing import NamedTuple


class Weather(NamedTuple):
    """Milliseconds each way: always `delay`, up to `jitter` more, and now and then up to `spike` more."""

    delay: float = 20.0
    jitter: float = 10.0
    spike: float = 200.0
    spikes: float = 0.05


class SlowLink:
    """Listens on one port and passes everything on to another, late but in order. An async context manager."""

    def __init__(self, port: int, target: int, weather: Weather, seed: int = 1) -> None:
        self._port = port
        self._target = target
        self._weather = weather
        self._dice = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "SlowLink":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [back, writer]
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.get_running_loop().create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Every chunk leaves when its delay is over, and none before the one in front of it."""
        loop = asyncio.get_running_loop()
        free_at = 0.0
        with suppress(ConnectionError):
            while data := await source.read(65536):
                free_at = max(free_at, loop.time() + self._seconds())
                loop.call_at(free_at, self._write, sink, data)
        loop.call_at(free_at, sink.close)

    def _write(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        if not sink.is_closing():
            sink.write(data)

    def _seconds(self) -> float:
        delay, jitter, spike, spikes = self._weather
        late = delay + self._dice.uniform(0, jitter)
        return (late + (self._dice.uniform(0, spike) if self._dice.random() < spikes else 0)) / 1000
