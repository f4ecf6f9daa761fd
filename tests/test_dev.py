"""./dev becomes what its verb names, with the project on the path and the caller's folder kept."""

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.test_tidy import ROOT

LOCK = "requirements-dev.lock"
COMPILES_NOTHING = "import pathlib, sys; pathlib.Path(sys.argv[1]).mkdir(parents=True)"
HEADERS = Path(sysconfig.get_path("include"), "Python.h").exists()
SHOWS_ITS_PATH = "import sys; print(sys.path[0])"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of ./dev whose environment is this one, installed already, and whose packages are ours."""
    place = tmp_path / "project"
    (place / ".venv" / "bin").mkdir(parents=True)
    for name in ("dev", "pyproject.toml", LOCK):
        shutil.copy2(ROOT / name, place)
    locked = hashlib.sha256((place / LOCK).read_bytes()).digest()
    (place / ".venv" / ".stamp").write_text(hashlib.sha256(f"{LOCK}\0".encode() + locked).hexdigest())
    for floor in ("studio", "persistence", "presence", "collab_server"):
        (place / floor).mkdir()
    (place / "compile.py").write_text(COMPILES_NOTHING)
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


@pytest.mark.skipif(not HEADERS, reason="needs the header files of this Python")
def test_the_server_is_compiled_once_for_every_state_of_the_sources(copy: Path) -> None:
    """What was made of them is on the path before they are; nothing that was made of others."""
    (copy.parent / "bench").mkdir()
    (copy.parent / "bench" / "__main__.py").write_text(SHOWS_ITS_PATH)
    first, again = told(copy, "bench"), told(copy, "bench")
    (copy.parent / "studio" / "tune.py").write_text("KEY = 1\n")
    changed = told(copy, "bench")
    assert [done.stderr.count("compiling the server took") for done in (first, again, changed)] == [1, 0, 1]
    assert first.stdout == again.stdout != changed.stdout
    assert {Path(done.stdout.strip()) for done in (first, changed)} == set(
        (copy.parent / ".tools" / "compiled").iterdir()
    )
