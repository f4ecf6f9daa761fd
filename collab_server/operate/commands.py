"""Which command does what, and how its failure is told: one sentence on stderr, exit code 2."""

import asyncio
import logging
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from pydantic import ValidationError

from collab_server.operate import say
from collab_server.operate.arguments import COMPLAINT, complaint
from collab_server.operate.arrival import import_project
from collab_server.operate.errors import OperatorError
from collab_server.operate.export import export
from collab_server.operate.going_back import restore_to_moment, restore_to_snapshot
from collab_server.operate.inspection import inspect
from collab_server.operate.lineage import lift, next_epoch, quarantine
from collab_server.operate.listing import connections, rooms
from collab_server.operate.node import Node
from collab_server.operate.past import replay
from collab_server.operate.settings import NodeSettings, StoreSettings
from collab_server.operate.store import Store, open_store
from collab_server.operate.top import top
from collab_server.operate.verification import Verdict, verify
from persistence.errors import TRANSIENT, NotFound, PersistenceError
from persistence.upkeep import count_projects, every_project

DATABASE_AWAY: Final[tuple[type[Exception], ...]] = (*TRANSIENT, asyncpg.PostgresError)
NODE_COMMANDS: Final = frozenset({"rooms", "connections", "top"})
PROGRESS_SECONDS: Final = (0.1, 10.0)
"""How often progress is told: on a terminal, and elsewhere."""


def operate(asked: Namespace) -> int:
    """Carry out a command with the settings of the environment; its exit code."""
    logging.getLogger().addHandler(logging.NullHandler())  # what goes wrong is told below, once
    try:
        status = asyncio.run(told(asked, StoreSettings, NodeSettings))  # type: ignore[arg-type]  # from the environment
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _sorry("interrupted")
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


async def told(asked: Namespace, of_store: Callable[[], StoreSettings], of_nodes: Callable[[], NodeSettings]) -> int:
    """Carry out a command, and tell its failure."""
    try:
        if asked.command in NODE_COMMANDS:
            return await _watch(asked, of_nodes())
        nodes = of_nodes() if getattr(asked, "node", None) else None
        async with open_store(of_store()) as store:
            return await _store(store, asked, nodes)
    except ValidationError as error:
        return _sorry(complaint(error))
    except (OperatorError, PersistenceError) as error:
        return _sorry(str(error))
    except BrokenPipeError:
        raise
    except DATABASE_AWAY as error:
        return _sorry(f"the database: {str(error).splitlines()[0] if str(error) else type(error).__name__}")


async def _watch(asked: Namespace, settings: NodeSettings) -> int:
    nodes = _nodes(asked.node or [settings.url], settings)
    match asked.command:
        case "rooms":
            return await rooms(nodes, as_json=asked.json)
        case "connections":
            return await connections(nodes, as_json=asked.json)
        case _:
            return await top(nodes, interval=asked.interval, once=asked.once, as_json=asked.json)


async def _store(store: Store, asked: Namespace, nodes: NodeSettings | None) -> int:
    match asked.command:
        case "inspect":
            return await inspect(store, asked.project, history=asked.history, as_json=asked.json)
        case "verify" if asked.all:
            return await _verify_all(store, _nodes(asked.node, nodes), asked.json)
        case "verify":
            return _verdict(await verify(store, asked.project, _nodes(asked.node, nodes)), asked.json)
        case "export":
            return await export(store, asked.project, form=asked.format, target=asked.output)
        case "import":
            return await import_project(store, asked.file, asked.owner, asked.name, yes=asked.yes)
        case "replay":
            how = {"form": asked.format, "target": asked.output}
            return await replay(store, asked.project, asked.at, nearest=asked.nearest, **how)
        case "restore" if asked.snapshot is not None:
            return await restore_to_snapshot(store, asked.project, asked.snapshot, yes=asked.yes)
        case "restore":
            return await restore_to_moment(store, asked.project, asked.at, yes=asked.yes)
        case "quarantine" if asked.release:
            return await lift(store, asked.project, yes=asked.yes)
        case "quarantine":
            return await quarantine(store, asked.project, asked.reason, yes=asked.yes)
        case _:
            return await next_epoch(store, asked.project, yes=asked.yes)


def _nodes(urls: Sequence[str], settings: NodeSettings | None) -> list[Node]:
    return [Node(url, settings.operator.token.get_secret_value() if settings else "") for url in urls]


def _verdict(verdict: Verdict, as_json: bool) -> int:
    if as_json:
        say.emit_json(verdict.as_json())
    else:
        say.line(f"project {verdict.project_id}, epoch {verdict.epoch}, row {verdict.head}")
        for what, problem in verdict.checks:
            say.line(f"  {'FAILED' if problem else 'ok'}  {what}{': ' + say.plain(problem) if problem else ''}")
    return 0 if verdict.sound else 1


async def _verify_all(store: Store, nodes: Sequence[Node], as_json: bool) -> int:
    """One line of result for every project that failed, and a sum at the end."""
    total, done, failed = await count_projects(store.pool), 0, []
    progress = Progress(total)
    async for project_id in every_project(store.pool):
        try:
            verdict = await verify(store, project_id, list(nodes))
        except NotFound:  # deleted meanwhile
            continue
        done += 1
        if not verdict.sound:
            failed.append(verdict)
            progress.clear()
            if not as_json:
                problems = "; ".join(f"{what}: {problem}" for what, problem in verdict.checks if problem)
                say.line(f"{project_id} FAILED {say.plain(problems)}")
        progress.show(done, len(failed))
    progress.clear()
    if as_json:
        say.emit_json({"projects": done, "failed": [verdict.as_json() for verdict in failed]})
    else:
        say.line(f"{done} projects verified, {len(failed)} failed")
    return 1 if failed else 0


class Progress:
    """How far it is, on stderr: one line that is redrawn, or a line now and then where there is no terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._terminal = sys.stderr.isatty()
        self._every = PROGRESS_SECONDS[0 if self._terminal else 1]
        self._told = self._started = time.monotonic()

    def show(self, done: int, failed: int) -> None:
        """Tell, if it is time."""
        now = time.monotonic()
        if now - self._told < self._every:
            return
        self._told = now
        left = max(0, self._total - done) * (now - self._started) / done
        text = f"{done} of {self._total} projects, {failed} failed, {left:.0f} s left"
        sys.stderr.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave no half line behind."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")


def _sorry(sentence: str) -> int:
    sys.stderr.write(COMPLAINT.format(say.plain(sentence)))
    return 2
