"""What mypyc is given, and that the whole suite runs on what it makes."""

import ast
import os
import sysconfig
from pathlib import Path

import pytest

import compile as compiler
from collab_server import room
from launch.app import App
from tests.test_tidy import ROOT, named, tree


def bound(function: ast.AST) -> list[tuple[str, str]]:
    """Every name that a function gives to what it catches, with the type that is caught."""
    handlers = [node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler)]
    return [(node.name, ast.unparse(node.type)) for node in handlers if node.name and node.type]


@pytest.mark.parametrize("file", [ROOT / path for path in compiler.compiled()], ids=named)
def test_a_name_is_caught_under_with_one_type(file: Path) -> None:
    """mypyc takes the first type for all that a function catches under the name, and raises TypeError for another."""
    for function in ast.walk(tree(file)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            caught = set(bound(function))
            assert len(caught) == len({name for name, _ in caught}), function.name


def test_a_module_that_is_gone_is_missed() -> None:
    """It has to be struck off the list."""
    with pytest.raises(FileNotFoundError, match="nothing"):
        compiler.compiled({"studio": "roles nothing"})


@pytest.mark.skipif("CI" not in os.environ, reason="what is selected by hand runs on the sources")
def test_the_suite_runs_on_what_is_deployed() -> None:
    """Wherever it can be compiled, ./dev test compiles it."""
    headers = Path(sysconfig.get_path("include"), "Python.h").exists()
    assert str(room.__file__).endswith(".py") != headers


def test_an_app_runs_on_what_the_tests_run_on(collab: App) -> None:
    """The apps that tests start are compiled if the tests' own modules are; their log says which."""
    assert collab.log is not None
    compiled = not str(room.__file__).endswith(".py")
    serving = [line for line in collab.log.read_text().splitlines() if '"serving"' in line]
    assert serving
    assert all(f'"compiled": {str(compiled).lower()}' in line for line in serving)
