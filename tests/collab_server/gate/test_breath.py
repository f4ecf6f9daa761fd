"""Whoever reads a large document in a thread lets the event loop have its turns, compiled or not."""

import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pycrdt import Doc, Map

from collab_server.gate.limits import TRUSTED
from collab_server.gate.shape import Shape
from collab_server.gate.slices import slices
from collab_server.gate.update import inspect

STRUCTS = 40_000
TURNS_MIN = 3
"""Twice it may happen by chance, when the thread begins and when it has ended."""


@pytest.fixture
def impatient() -> Iterator[None]:
    """Whoever wants the interpreter's lock asks for it after 0.1 ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def large() -> bytes:
    """An update of many structs."""
    doc: Doc[Map[float]] = Doc()
    transport = doc.get("transport", type=Map)
    with doc.transaction():
        for number in range(STRUCTS):
            transport[f"k{number}"] = number
    return doc.get_update()


def turns(work: Callable[[], object]) -> int:
    """How often somebody else had the interpreter's lock while a thread did this."""
    thread = threading.Thread(target=work)
    thread.start()
    count = 0
    while thread.is_alive():
        count += 1
        time.sleep(0)  # gives the lock away, and asks for it again
    return count


@pytest.mark.usefixtures("impatient")
def test_whoever_reads_gives_way(large: bytes) -> None:
    """While it is read, while it is planned and learned, and while it is cut."""
    shape = Shape(TRUSTED)
    found = inspect(large, TRUSTED, offsets=True)
    plan = shape.plan(found)
    assert turns(lambda: inspect(large, TRUSTED)) > TURNS_MIN
    assert turns(lambda: shape.plan(found)) > TURNS_MIN
    assert turns(lambda: shape.learn(plan)) > TURNS_MIN
    assert turns(lambda: list(slices(large, found, 1 << 16))) > TURNS_MIN
