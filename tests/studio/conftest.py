"""Peers of both libraries for document tests."""

from collections.abc import Iterator

import pytest

from tests.studio.stage import Stage
from tests.yjs_peer.peer import Yjs, running


@pytest.fixture(scope="session")
def yjs() -> Iterator[Yjs]:
    """The Node process that holds real Yjs documents."""
    with running() as process:
        yield process


@pytest.fixture(
    params=[("yp", (10, 20)), ("yp", (20, 10)), ("py", (10, 20)), ("py", (20, 10))],
    ids=["yjs-10 pycrdt-20", "yjs-20 pycrdt-10", "pycrdt-10 yjs-20", "pycrdt-20 yjs-10"],
)
def stage(request: pytest.FixtureRequest, yjs: Yjs) -> Stage:
    """A and B, one of them real Yjs, in both orders of client id."""
    libraries, ids = request.param
    return Stage(yjs, libraries, ids)
