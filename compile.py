"""Compiles what an edit, a cursor and a newcomer go through, with mypyc: `python compile.py FOLDER`.

mypyc makes C extensions of the very modules that mypy checks: the same classes and functions, at about half the CPU
time. FOLDER gets whole packages, to be put on PYTHONPATH before the project's: the sources, and beside those that are
compiled what was made of them. The C compiler is the one of the ziglang wheel, so that it is the same everywhere; the
machine has to have the header files of its Python.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mypyc.build import mypycify
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

ROOT: Final = Path(__file__).resolve().parent

MODULES: Final = {
    "collab_server": """
        connection allowance pulse hub hosted delivery room intake admission express gathered whereabouts extent trials
        live_document audience member unsent effects pending writer attendance roster stamp presence_timer neighbours
        loss chores join_state afterimages wire frames
    """,
    "collab_server/dialects": "*",
    "collab_server/gate": "*",
    "persistence": "body",
    "studio": "fields restriction roles schema watch",
}
"""Of each folder. Not for mypyc: subclasses of other libraries' classes, asynchronous generators."""

INTERPRETED: Final = {"__init__.py", "breath.py"}

COMPILER: Final = (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline")

FLAGS: Final = ("-O2", "-fPIC", "-fwrapv", "-fno-strict-aliasing", "-DNDEBUG", "-w")
"""As CPython is built; warnings about what mypyc writes are nobody's business here."""


class Build(build_ext):
    """setuptools' own, with our compiler in place of the one with which Python was built."""

    def build_extensions(self) -> None:
        self.compiler.set_executables(
            compiler_so=[*COMPILER, *FLAGS], linker_so=[*COMPILER, "-shared"], compiler_so_cxx=[*COMPILER, *FLAGS]
        )
        super().build_extensions()


def main(folder: Path) -> None:
    """Put the packages into `folder`, which must not be there; nothing is left where that fails."""
    os.chdir(ROOT)  # mypy finds its settings and the modules' names here
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        place = Path(temporary, "packages")
        for package in {Path(folder).parts[0] for folder in MODULES}:
            shutil.copytree(package, place / package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        compile_into(place, Path(temporary, "c"))
        place.rename(folder)


def compiled(modules: Mapping[str, str] = MODULES) -> list[Path]:
    """The sources of what is compiled; FileNotFoundError for one that is not there any more."""
    named = [Path(folder, f"{name}.py") for folder, names in modules.items() for name in names.split()]
    files = [file for path in named for file in (path.parent.glob(path.name) if path.stem == "*" else [path])]
    for file in files:
        file.stat()
    return sorted(file for file in files if file.name not in INTERPRETED)


def compile_into(place: Path, work: Path) -> None:
    """Compile, with what lies between in `work`."""
    extensions = mypycify(["--strict", *map(str, compiled())], target_dir=str(work), include_runtime_files=True)
    for extension in extensions:
        extension.extra_compile_args = []  # they are those of the compiler of this Python
    build = Build(Distribution({"name": "backline", "ext_modules": extensions}))
    build.build_lib, build.build_temp, build.parallel = str(place), str(work / "objects"), os.cpu_count()
    build.ensure_finalized()
    build.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
