"""What holds for every Python file of the project and no other tool checks."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("studio", "persistence", "presence", "voice", "collab_server", "api", "launch", "loadtest", "bench")
SQL_VERBS = ("select ", "insert into ", "update ", "delete from ", "create table ", "alter table ", "drop table ")
IMPURE = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
MUTABLE_CALLS = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}
FROZEN_NAMES = {"__all__", "model_config"}


def files_of(*folders: str) -> list[Path]:
    """Every Python file below the folders of the project."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def named(file: Path) -> str:
    """The file's path in the project, as the name of a case."""
    return str(file.relative_to(ROOT))


def tree(file: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(file.read_text(), named(file))


def imports(file: Path) -> Iterator[str]:
    """The top-level names of all packages a file imports."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def literal_text(string: ast.JoinedStr) -> str:
    """An f-string's fixed parts."""
    return "".join(str(part.value) for part in string.values if isinstance(part, ast.Constant))


def mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes something that can change later."""
    if isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp):
        return True
    if isinstance(value, ast.Call):
        function = value.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        return name in MUTABLE_CALLS
    return False


def assigned(module: ast.Module) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Name, value and annotation of each assignment at the top of a module."""
    for node in module.body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value, None) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value, node.annotation


def promised_constant(annotation: ast.expr | None) -> bool:
    """Whether the type checker refuses to change it: Mapping, Sequence, Final and their like."""
    return annotation is not None and ast.unparse(annotation).startswith(("Mapping[", "Sequence[", "Set[", "Final"))


@pytest.mark.parametrize("file", files_of(*PACKAGES, "tests"), ids=named)
def test_every_file_says_what_it_decides(file: Path) -> None:
    """A module begins with a docstring."""
    assert ast.get_docstring(tree(file)), f"{named(file)} has no docstring"


@pytest.mark.parametrize("file", files_of(*PACKAGES), ids=named)
def test_no_sql_is_put_together_from_strings(file: Path) -> None:
    """SQL stands in constants; an f-string with SQL in it could carry somebody's input."""
    strings = (node for node in ast.walk(tree(file)) if isinstance(node, ast.JoinedStr))
    found = [string.lineno for string in strings if literal_text(string).lstrip().lower().startswith(SQL_VERBS)]
    assert not found, f"{named(file)} builds SQL in line {found}"


@pytest.mark.parametrize("file", files_of(*PACKAGES), ids=named)
def test_no_module_keeps_state(file: Path) -> None:
    """What a module holds at its top cannot change, or is promised to the type checker not to; no `global` anywhere."""
    module = tree(file)
    kept = [
        name
        for name, value, annotation in assigned(module)
        if mutable(value) and name not in FROZEN_NAMES and not promised_constant(annotation)
    ]
    assert not kept, f"{named(file)} keeps {kept} at module level: annotate as Mapping, Sequence or Final, or freeze it"
    assert not [node.lineno for node in ast.walk(module) if isinstance(node, ast.Global)]


@pytest.mark.parametrize("file", files_of("studio"), ids=named)
def test_the_ground_is_pure(file: Path) -> None:
    """studio/ imports pycrdt and the standard library alone, and nothing of that which waits, reads or guesses."""
    allowed = {"studio", "pycrdt", *sys.stdlib_module_names} - IMPURE
    assert set(imports(file)) <= allowed
    assert not [node for node in ast.walk(tree(file)) if isinstance(node, ast.Await | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("file", files_of("tests"), ids=named)
def test_no_test_replaces_what_it_tests(file: Path) -> None:
    """Tests run the real thing: neither `unittest.mock` nor pytest's monkeypatch."""
    module = tree(file)
    arguments = {argument.arg for node in ast.walk(module) if isinstance(node, ast.arguments) for argument in node.args}
    modules = {node.module for node in ast.walk(module) if isinstance(node, ast.ImportFrom)}
    assert "monkeypatch" not in arguments
    assert "unittest.mock" not in modules
    assert "mock" not in set(imports(file))


@pytest.mark.parametrize("file", files_of("tests"), ids=named)
def test_no_test_sleeps_and_hopes(file: Path) -> None:
    """A sleep stands only inside a loop, where a condition is polled until a deadline."""
    module = tree(file)
    loops = [node for node in ast.walk(module) if isinstance(node, ast.While | ast.For | ast.AsyncFor)]
    polled = {id(inner) for loop in loops for inner in ast.walk(loop)}
    sleeps = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "asyncio.sleep", "sleep")
    ]
    hoping = [node.lineno for node in sleeps if id(node) not in polled and ast.unparse(node.args[0]) != "0"]
    assert not hoping, f"{named(file)} sleeps and hopes in line {hoping}"


@pytest.mark.parametrize("file", files_of("tests"), ids=named)
def test_every_test_says_what_must_be_true(file: Path) -> None:
    """A test function has a docstring."""
    functions = (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    silent = [f.name for f in functions if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert not silent, f"{named(file)}: {silent} say nothing"
