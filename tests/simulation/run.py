"""One seed from the first edit to the last leave, with everything that is checked at the end."""

import gc
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from persistence.body import decode
from persistence.editing import read
from persistence.errors import PersistenceError
from studio.blank import open_doc
from studio.canonical import canonical
from studio.roles import Role
from tests.simulation.chaos import Chaos
from tests.simulation.client import Tab
from tests.simulation.ledger import Ledger
from tests.simulation.loop import Deadlock, Loop
from tests.simulation.node import Node
from tests.simulation.stage import Stage
from tests.simulation.tables import Document

CALM_SECONDS = 120.0
STALE_SECONDS = 100.0
IDLE_SECONDS = 90.0
"""Documents are put away after a minute, snapshots made after ten seconds."""


@dataclass(frozen=True)
class Verdict:
    """How a seed ended. `complaints` is empty when all is well."""

    seed: int
    complaints: tuple[str, ...]
    saved: int
    rows: int
    digest: str
    virtual_seconds: float


def run(seed: int, shout: Callable[[str], None] | None = None) -> Verdict:
    """Run one seed; `shout` gets the trace, line by line."""
    loop = Loop()
    verdict = _run(loop, seed, shout)
    _clear_away(loop)
    return verdict


def _run(loop: Loop, seed: int, shout: Callable[[str], None] | None) -> Verdict:
    ledger = Ledger(loop.time, shout)
    structlog.configure(processors=[ledger.log], wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=False)
    logging.getLogger().handlers = [_Complainer(ledger)]
    loop.set_exception_handler(lambda _, told: ledger.complain(f"{told.get('message')} {told.get('exception')!r}"))
    stage = Stage(loop, str(seed), ledger)
    try:
        loop.run_until_complete(_play(stage))
    except Deadlock:
        ledger.complain("nothing is ready and nothing will be")
    rows = sum(document.head for document in stage.documents())
    return Verdict(seed, tuple(ledger.complaints), len(ledger.acknowledged), rows, ledger.digest, loop.time())


async def _play(stage: Stage) -> None:
    rng, loop = stage.rng, stage.loop
    for _ in range(rng.choice((1, 2, 3))):
        await stage.node()
    if rng.random() < 0.5:
        loop.jump(1_000.0)  # long after the start
    for number in range(1, rng.choice((2, 2, 3))):
        people = {UUID(int=number * 100 + i): Role.OWNER if i == 0 else Role.EDITOR for i in range(rng.randint(2, 4))}
        project = stage.project(number, people)
        for user in people:
            for _ in range(rng.choice((1, 1, 1, 2))):
                stage.tab(project, user).come()
    chaos = Chaos(stage, rng.choice((8.0, 20.0)))
    chaos.schedule()
    await loop.pause(chaos.seconds + 3.5)
    chaos.heal()
    await _settle(stage)
    await _idle(stage)
    await _go_home(stage)


async def _until(stage: Stage, seconds: float, wrong: Callable[[], str]) -> None:
    """Let time pass until nothing is wrong any more; complain of what still is after so many seconds."""
    until = stage.now() + seconds
    while what := wrong():
        if stage.now() >= until:
            break
        await stage.loop.pause(0.5)
    if what:
        stage.ledger.complain(f"after {seconds:.0f} quiet seconds: {what}")


# ---------------------------------------------------------------------- all is healed


async def _settle(stage: Stage) -> None:
    """Everybody who may is connected, and nobody does anything any more."""
    stage.ledger.note("check", "settling")
    if not any(node.up for node in stage.nodes):
        await stage.node()
    for tab in stage.tabs:
        tab.come()
    await _until(stage, CALM_SECONDS, lambda: _unsettled(stage))
    for document in stage.documents():
        if document.project_id not in stage.spoiled:
            _check_kept(stage, document)
            await _check_stored(stage, document)


async def _check_stored(stage: Stage, document: Document) -> None:
    """What anybody would load is the replay of all rows, compacted or not."""
    try:
        stored, seq, _ = await read(stage.app.pool, document.project_id)
    except PersistenceError as error:
        stage.ledger.complain(f"the document cannot be read: {error}")
        return
    if seq != document.head or canonical(stored) != _truth(document):
        stage.ledger.complain("the stored document is not the replay of its rows")


def _truth(document: Document) -> dict[str, Any]:
    return canonical(_replay(document))


def _replay(document: Document) -> Any:
    doc = open_doc()
    with doc.transaction():
        for body in document.history:
            for entry in decode(body):
                doc.apply_update(entry.update)
    return doc


def _unsettled(stage: Stage) -> str:
    for document in stage.documents():
        if document.project_id not in stage.spoiled:
            wrong = _unlike(stage, document)
            if wrong:
                return wrong
    return ""


def _unlike(stage: Stage, document: Document) -> str:
    """What differs between the journal, the rooms and the tabs of a project; "" for nothing."""
    tabs = [tab for tab in stage.tabs if tab.project == document.project_id and not tab.over]
    for tab in tabs:
        if tab.line is None or not tab.synced:
            return f"{tab.name} is not connected"
        if tab.sent.waits:
            return f"{tab.name} is not told that its edits are saved"
        if tab.sent.skipped:
            return f"{tab.name} was never told that some of its edits are saved"
    for tab in stage.tabs:
        if tab.over and tab.project == document.project_id and tab.line is not None:
            return f"{tab.name} was sent away and is connected"
    wrong = _unlike_presence(tabs)
    if wrong:
        return wrong
    rooms = [node.hub.rooms.get(document.project_id) for node in stage.nodes if node.up]
    for hosted in rooms:
        if hosted is not None and hosted.room.head != document.head:
            return f"a room is at row {hosted.room.head}, the journal at {document.head}"
        if hosted is not None and (hosted.recording or hosted.flying or hosted.room.pending):
            return "a room has something for the journal"
    truth = _truth(document)
    for hosted in rooms:
        if hosted is not None and canonical(hosted.room.doc) != truth:
            return "a room differs from the replay of the journal"
    for tab in tabs:
        if tab.author.json() != truth:
            return f"{tab.name} differs from the replay of the journal"
    return ""


def _unlike_presence(tabs: list[Tab]) -> str:
    for tab in tabs:
        here = {other.client for other in tabs}
        if set(tab.crowd.states) != here:
            return f"{tab.name} sees {sorted(tab.crowd.states)}, here are {sorted(here)}"
        for other in tabs:
            if f'"cursor":{other.shown}' not in tab.crowd.states[other.client].replace(" ", ""):
                return f"{tab.name} watches {other.name} and sees it where it was"
    return ""


def _check_kept(stage: Stage, document: Document) -> None:
    """Every acknowledged edit is part of the journal."""
    doc = _replay(document)
    before = doc.get_state(), doc.get_update()
    for of, update in stage.ledger.acknowledged:
        if of is document:
            doc.apply_update(update)
    if (doc.get_state(), doc.get_update()) != before:
        stage.ledger.complain("an acknowledged edit is lost")


# ---------------------------------------------------------------------- nobody does anything


async def _idle(stage: Stage) -> None:
    """People who only watch each other's cursors leave a server nothing to do but to pass those on; and to bring to the
    present whom even those were too much for, or whose line was dead already."""
    stage.ledger.note("check", "everybody is idle")
    before = {node: _visits(node) for node in stage.nodes if node.up}
    await stage.loop.pause(IDLE_SECONDS)
    for node, visits in before.items():
        if (node.hub.care.awake or node.hub.care.edited) and _visits(node) == visits:
            stage.ledger.complain(f"{node.name} looks after documents that nobody touches")


def _visits(node: Node) -> tuple[int, int]:
    """How many have come, and come to the present, so far."""
    return node.hub.metrics.opened, node.hub.metrics.resyncs


# ---------------------------------------------------------------------- everybody leaves


async def _go_home(stage: Stage) -> None:
    """After the last leave nothing is left open: rooms, connections, presence, sessions."""
    stage.ledger.note("check", "everybody leaves")
    for tab in stage.tabs:
        if stage.rng.random() < 0.3 and tab.line is not None:
            tab.line.silent = True
        tab.go()
        tab.home = True
    await _until(stage, CALM_SECONDS, lambda: _left_over(stage))
    for _ in range(3):
        stage.loop.jump(STALE_SECONDS / 2)
        await stage.loop.pause(1.0)
    await _until(stage, 60.0, lambda: _left_open(stage))


def _left_over(stage: Stage) -> str:
    for node in stage.nodes:
        if not node.up:
            continue
        if node.hub.connections:
            return f"{node.name} has {len(node.hub.connections)} connections"
        for project, hosted in node.hub.rooms.items():
            if len(hosted.room.roster):
                return f"{node.name} shows people who left"
            if project not in stage.spoiled:
                return f"{node.name} has room {project.int} open: empty {hosted.empty}, settled {hosted.settled}"
    return ""


def _left_open(stage: Stage) -> str:
    tables = stage.database.tables
    if any(not participant.left for participant in tables.participants.values()):
        return "a participant has not left"
    if any(not session.ended for session in tables.sessions):
        return "a session is open"
    return ""


# ---------------------------------------------------------------------- around it


class _Complainer(logging.Handler):
    """Errors that are logged by the standard library's logging."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.ERROR)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._ledger.complain(f"logged: {record.getMessage()} {error!r}")


def _clear_away(loop: Loop) -> None:
    """Let go of tasks that will never end; what they do while they are torn down concerns nobody."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    loop.set_exception_handler(lambda *_: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop.tasks.clear()
        loop.close()
        gc.collect()
    sys.unraisablehook = hook
