"""Two workers run the suite side by side; a test that measures time runs alone, and waits until it can."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ALONE: Final = (
    "bench",
    "browser/test_big.py",
    "browser/test_playing_together.py",
    "collab_server/control/test_live_speed.py",
    "faults",
    "hostile",
    "loadtest/test_scenarios.py",
)
"""Files and folders of the tests that measure time, or need both processors."""


def measures_time(path: Path) -> bool:
    """Whether a test file's tests are to run alone."""
    place = path.relative_to(Path(__file__).parent)
    return any(place == Path(each) or Path(each) in place.parents for each in ALONE)


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """One test's: beside others, or `alone`. `folder` is one and the same for all workers of a run.

    Whoever wants to be alone stays in the doorway until the room is empty, and nobody passes it there: a stream of
    short tests would keep it waiting for ever.
    """
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        yield
