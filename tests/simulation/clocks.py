"""Time and chance of a simulated process: `install` puts them in the place of the real ones.

It has to run before anything of the product is imported (`from time import perf_counter` binds at import), so the
simulation is a program of its own, and the suite starts it as one. Whoever runs outside of a simulated host gets the
real time and real randomness, as ever.
"""

import secrets
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Protocol


class Circumstances(Protocol):
    """What a process can ask of its machine."""

    def wall(self) -> float:
        """Seconds since 1970, as this machine believes."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def spent(self) -> float:
        """Seconds of work, for measuring how long something took."""

    def bits(self, count: int) -> int:
        """A random number of so many bits."""


HERE: Final[ContextVar[Circumstances | None]] = ContextVar("circumstances", default=None)
"""The machine whose code is running."""


def install() -> None:
    """From now on time and randomness are those of HERE."""
    for name, scale, ask in (
        ("time", 1, _wall),
        ("time_ns", 10**9, _wall),
        ("monotonic", 1, _monotonic),
        ("monotonic_ns", 10**9, _monotonic),
        ("perf_counter", 1, _spent),
        ("perf_counter_ns", 10**9, _spent),
    ):
        setattr(time, name, _clock(getattr(time, name), scale, ask))
    real_bits, real_uuid4 = secrets.randbits, uuid.uuid4

    def randbits(k: int) -> int:
        here = HERE.get()
        return real_bits(k) if here is None else here.bits(k)

    def uuid4() -> uuid.UUID:
        here = HERE.get()
        return real_uuid4() if here is None else uuid.UUID(int=here.bits(128), version=4)

    for module, name, replacement in ((secrets, "randbits", randbits), (uuid, "uuid4", uuid4)):
        setattr(module, name, replacement)


def _clock(real: Callable[[], float], scale: int, ask: Callable[[Circumstances], float]) -> Callable[[], float]:
    def now() -> float:
        here = HERE.get()
        if here is None:
            return real()
        return ask(here) if scale == 1 else int(ask(here) * scale)

    return now


def _wall(here: Circumstances) -> float:
    return here.wall()


def _monotonic(here: Circumstances) -> float:
    return here.monotonic()


def _spent(here: Circumstances) -> float:
    return here.spent()
