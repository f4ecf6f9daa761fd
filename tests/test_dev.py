"""./dev becomes what its verb names, with the project on the path and the caller's folder kept."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_tidy import ROOT

LOCK = "requirements-dev.lock"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of ./dev whose environment is this one, installed already, and whose packages are ours."""
    place = tmp_path / "project"
    (place / ".venv" / "bin").mkdir(parents=True)
    for name in ("dev", LOCK):
        shutil.copy2(ROOT / name, place)
    locked = hashlib.sha256((place / LOCK).read_bytes()).digest()
    (place / ".venv" / ".stamp").write_text(hashlib.sha256(f"{LOCK}\0".encode() + locked).hexdigest())
    python = place / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (place / "loadtest").symlink_to(ROOT / "loadtest")
    return place / "dev"


def told(dev: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What ./dev does with these arguments, called in another folder."""
    command = [sys.executable, str(dev), *arguments]
    return subprocess.run(command, cwd=dev.parent.parent, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_verb() -> None:
    """Whatever can be asked for is described, and nothing else is."""
    verbs = re.search(r"verbs = \{(.*?)\}", (ROOT / "dev").read_text(), re.DOTALL)
    assert verbs is not None
    done = told(ROOT / "dev", "--help")
    assert done.returncode == 0
    assert set(re.findall(r"^    \./dev (\w+)", done.stdout, re.MULTILINE)) == set(re.findall(r'"(\w+)":', verbs[1]))


def test_loadtest_is_the_load_harness(copy: Path) -> None:
    """Its help and its exit codes are the harness's own, from whatever folder it is called."""
    shown = told(copy, "loadtest", "--help")
    assert (shown.returncode, shown.stdout.split()[:3]) == (0, ["usage:", "./dev", "loadtest"])
    nowhere = told(copy, "loadtest", "steady", "--protocol", "yws", "--ws", "ws://127.0.0.1:1", "--duration", "1")
    assert nowhere.returncode == 2
    assert nowhere.stderr.startswith("loadtest: ")
