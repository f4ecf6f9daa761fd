"""Tests of what a person at the terminal is told, if they are still there."""

import subprocess
import sys

import pytest

from tests.launch.support import ROOT

SPEAKER = """
import sys
from launch.terminal import announce, let_go_of_the_terminal, say
sys.stdin.readline()
announce("ready http://127.0.0.1:8000")
say("stopping")
let_go_of_the_terminal()
"""


@pytest.mark.parametrize("left", ["stdout", "stderr", "both", "nobody"])
def test_whoever_left_is_told_nothing_and_nothing_goes_wrong(left: str) -> None:
    """The reader of either stream may go before anything is written: the rest is said, and that is no failure."""
    with subprocess.Popen(
        [sys.executable, "-c", SPEAKER],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        streams = {"stdout": process.stdout, "stderr": process.stderr}
        for name, stream in streams.items():
            assert stream is not None
            if left in (name, "both"):
                stream.close()
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        heard = {name: stream.read() for name, stream in streams.items() if stream is not None and not stream.closed}
    expected = {"stdout": "ready http://127.0.0.1:8000\n", "stderr": "backline: stopping\n"}
    assert heard == {name: words for name, words in expected.items() if left not in (name, "both")}
    assert process.returncode == 0
