"""An event loop without a world: when nothing is ready, its time jumps to the next timer.

Every callback belongs to the host in whose context it was made. A host that was killed runs nothing any more, one that
is frozen runs everything later, in the same order.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable
from typing import Any

from tests.simulation.clocks import HERE

START = 1_000.0
WALL_AT_START = 1_800_000_000.0
EXECUTOR_SECONDS = 0.002


class Deadlock(Exception):
    """Nothing is ready and nothing will be: the simulation itself is wrong."""


class Host:
    """A machine with one process on it."""

    def __init__(self, loop: "Loop", name: str, seed: str) -> None:
        self.name = name
        self.loop = loop
        self.rng = random.Random(f"{seed}/{name}")
        self.wall_offset = 0.0
        self.dead = False
        self.context = contextvars.copy_context()
        self.context.run(HERE.set, self)
        self._frozen_until = 0.0
        self._deferred: list[tuple[list[asyncio.Handle], contextvars.Context, Callable[..., object], Any]] = []
        self._worked = 0.0

    # ------------------------------------------------------------------ clocks.Circumstances

    def wall(self) -> float:
        return WALL_AT_START + self.loop.time() + self.wall_offset

    def monotonic(self) -> float:
        return self.loop.time()

    def spent(self) -> float:
        self._worked += 0.01 if self.rng.random() < 0.01 else 2e-6
        return self._worked

    def bits(self, count: int) -> int:
        return self.rng.getrandbits(count)

    # ------------------------------------------------------------------ what may happen to it

    def kill(self) -> None:
        """Power off: nothing of it ever runs again."""
        self.dead = True

    def freeze(self, seconds: float) -> None:
        """It stands still; what became due meanwhile runs afterwards."""
        if not self.dead:
            self._frozen_until = max(self._frozen_until, self.loop.time() + seconds)
            self.loop.call_at(self._frozen_until, self._thaw, context=contextvars.Context())

    def start(self, work: Any) -> "asyncio.Task[Any]":
        """A task of this machine's process."""
        return self.loop.create_task(work, context=self.context.copy())

    def soon(self, callback: Callable[..., object], *args: object) -> None:
        """Call in this machine's process."""
        self.loop.call_soon(callback, *args, context=self.context)

    def at(self, when: float, callback: Callable[..., object], *args: object) -> None:
        """Call in this machine's process at `when`."""
        self.loop.call_at(when, callback, *args, context=self.context)

    def run(self, handle: list[asyncio.Handle], callback: Callable[..., object], args: Any) -> None:
        """Call back, unless it is dead; later, if it is frozen."""
        if self.dead:
            return
        if self._frozen_until > self.loop.time():
            self._deferred.append((handle, contextvars.copy_context(), callback, args))
            return
        callback(*args)

    def _thaw(self) -> None:
        if self._frozen_until > self.loop.time():
            return
        deferred, self._deferred = self._deferred, []
        for handle, context, callback, args in deferred:
            self.loop.call_soon(_unless_cancelled, handle[0], callback, args, context=context)


def _unless_cancelled(handle: asyncio.Handle, callback: Callable[..., object], args: Any) -> None:
    """What was due earlier may have cancelled it at the last moment."""
    if not handle.cancelled():
        callback(*args)


class Loop(asyncio.BaseEventLoop):
    """Virtual time. `jump` lets it pass without anybody having run."""

    def __init__(self) -> None:
        super().__init__()
        self._now = START
        self._selector = self
        self.tasks: list[asyncio.Task[Any]] = []
        """Every task, so that none of a dead host is cleaned away, and runs its `finally`, in the middle of the run."""

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        """All machines stood still for so long."""
        self._now += seconds

    async def pause(self, seconds: float) -> None:
        """Let virtual time pass for whoever waits here."""
        passed = self.create_future()
        self.call_later(seconds, lambda: None if passed.done() else passed.set_result(None))
        await passed

    def select(self, timeout: float | None) -> list[object]:
        """asyncio waits for input here: there is none."""
        if timeout is None:
            raise Deadlock
        self._now += timeout
        return []

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        host = HERE.get() if context is None else context.get(HERE)
        if not isinstance(host, Host):
            return super().call_soon(callback, *args, context=context)
        kept: list[asyncio.Handle] = []
        handle = super().call_soon(host.run, kept, callback, args, context=context)
        kept.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        host = HERE.get() if context is None else context.get(HERE)
        if not isinstance(host, Host):
            return super().call_at(when, callback, *args, context=context)
        kept: list[asyncio.Handle] = []
        handle = super().call_at(when, host.run, kept, callback, args, context=context)
        kept.append(handle)
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> "asyncio.Future[Any]":
        """A thread: done a moment later, at once."""
        future = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self.call_later(EXECUTOR_SECONDS, work)
        return future

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        task = super().create_task(coro, **options)
        self.tasks.append(task)
        return task

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken."""
