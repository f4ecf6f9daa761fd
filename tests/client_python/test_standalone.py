"""The client is a distribution of its own: it knows nothing of the server's code."""

import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_tidy import PACKAGES, ROOT, assigned, files_of, imports, mutable, named, promised_constant, tree

CLIENT = ROOT / "client" / "python"
FILES = files_of("client/python")


@pytest.mark.parametrize("file", FILES, ids=named)
def test_it_imports_itself_and_its_two_dependencies_alone(file: Path) -> None:
    """pycrdt, websockets and the standard library: none of the server's packages."""
    assert set(imports(file)) <= {"backline", "pycrdt", "websockets", *sys.stdlib_module_names}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_server_does_not_import_it(package: str) -> None:
    """Nor does the server know anything of the client."""
    assert not [named(file) for file in files_of(package) if "backline" in imports(file)]


def test_the_distribution_names_these_dependencies() -> None:
    """What pip installs beside it is what it imports, and its name is not the server's."""
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert [need.partition(">=")[0] for need in project["dependencies"]] == ["pycrdt", "websockets"]
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] != server["name"]


@pytest.mark.parametrize("file", FILES, ids=named)
def test_its_files_are_tidy(file: Path) -> None:
    """A module says what it decides and keeps no state, and no file is longer than 300 lines."""
    module = tree(file)
    assert module.body
    assert file.read_text().startswith('"""')
    kept = [n for n, v, a in assigned(module) if n != "__all__" and mutable(v) and not promised_constant(a)]
    assert not kept
    assert len(file.read_text().splitlines()) <= 300
