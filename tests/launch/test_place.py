"""Where the data is kept."""

import os
from pathlib import Path

import pytest

from launch.place import choose_data_folder


def test_the_project_is_the_usual_place(scratch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said about it."""
    project = scratch / "project"
    project.mkdir(mode=0o755)
    assert choose_data_folder(None, project) == project / ".backline"
    assert choose_data_folder(scratch / "named", project) == scratch / "named"
    assert capsys.readouterr().err == ""


def test_another_place_is_said(scratch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the project's folder cannot be used: for root out of PostgreSQL's reach, for others not theirs to write."""
    project = scratch / "not-ours"
    project.mkdir(mode=0o700)
    usual = project / ".backline"
    usual.mkdir(mode=0o500)
    folder = choose_data_folder(None, project)
    try:
        assert folder.parent == Path("/var/tmp")
        assert list(usual.iterdir()) == []
        said = capsys.readouterr().err
        why = f"PostgreSQL's own user cannot reach {project}"
        if os.geteuid() != 0:
            why = f"{usual} cannot be written by this user"
        assert said == f"backline: the data is kept in {folder}, since {why}\n"
    finally:
        (folder / "log").rmdir()
        folder.rmdir()
