"""`inspect`: one document at a glance, also when it cannot be opened. Reads only."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.operate import say
from collab_server.operate.errors import OperatorError
from collab_server.operate.store import Store, opened
from persistence.archive import Kept, kept
from persistence.body import MalformedBody, decode
from persistence.upkeep import Facts, facts
from studio.canonical import canonical
from studio.repair import Firsts, repair
from studio.schema import SOFT_DELETED
from studio.view import view

ROWS_SHOWN = 10
PATHS_SHOWN = 4

Report = dict[str, Any]


async def inspect(store: Store, project_id: UUID, *, history: int, as_json: bool) -> int:
    """Print what is known of this document."""
    async with store.moment() as connection:
        found = await kept(connection, project_id)
        around = await facts(connection, project_id, history)
    report = _report(found, around)
    if as_json:
        say.emit_json(report)
    else:
        _print(report)
    return 0


def _report(found: Kept, around: Facts) -> Report:
    return {
        "project": str(found.project_id),
        "name": found.name,
        "owner": str(found.owner_id),
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "deleted_at": found.deleted_at,
        "epoch": found.epoch,
        "head": found.head,
        "quarantine": _quarantine(found),
        "state": _state(found),
        "tail": _tail(found),
        "document": _document(found),
        "projected": around.projected,
        "clients": [{"client": client, "user": str(user)} for client, user in found.clients.items()],
        "authors": [author._asdict() for author in around.authors],
        "snapshots": [kind._asdict() for kind in around.snapshots],
        "present": [person._asdict() for person in around.present],
        "history": [done._asdict() for done in around.history],
    }


def _quarantine(found: Kept) -> Report | None:
    if found.quarantined_at is None:
        return None
    return {"at": found.quarantined_at, "reason": found.quarantine_reason}


def _state(found: Kept) -> Report | None:
    state = found.state
    if state is None:
        return None
    return {
        "epoch": state.epoch,
        "seq": state.seq,
        "bytes": len(state.data),
        "sha256": state.sha256.hex(),
        "at": state.at,
        "problem": found.state_problem(),
    }


def _tail(found: Kept) -> Report:
    """Totals, and the newest rows."""
    newest = [
        {"seq": row.seq, "at": row.at, "edits": row.edits, "bytes": len(row.body), "authors": _authors(row.body)}
        for row in found.rows[-ROWS_SHOWN:]
    ]
    return {
        "rows": len(found.rows),
        "bytes": sum(len(row.body) for row in found.rows),
        "edits": sum(row.edits for row in found.rows),
        "problem": found.rows_problem(),
        "newest": newest,
    }


def _authors(body: bytes) -> list[str]:
    try:
        return sorted({"server" if entry.author is None else str(entry.author) for entry in decode(body)})
    except MalformedBody as error:
        return [f"unreadable: {error}"]


def _document(found: Kept) -> Report:
    """What the document holds, or why it cannot be read."""
    try:
        doc = opened(found, found.until(found.head))
    except OperatorError as error:
        return {"problem": str(error)}
    encoded = len(doc.get_update())
    content = canonical(doc)
    return {
        "problem": "",
        "bytes": encoded,
        "roots": {root: _count(root, entries) for root, entries in content.items() if entries},
        "issues": [issue.as_json() for issue in view(content).issues],
        "repairs": _repairs(doc),
    }


def _count(root: str, entries: Mapping[str, Any]) -> dict[str, int]:
    """How many entries there are, and how many of them wait in the trash."""
    deleted = 0
    if root in SOFT_DELETED:
        deleted = sum(isinstance(entry, dict) and entry.get("deleted") is not None for entry in entries.values())
    return {"entries": len(entries), "deleted": deleted}


def _repairs(doc: "Doc[Any]") -> list[dict[str, str]]:
    """What a node would repair when it opens the document; done here on our own copy."""
    made = repair(doc, None, Firsts.of(doc))
    return [{"rule": write.rule, "path": "/".join(filter(None, (write.root, write.id, write.key)))} for write in made]


def _print(report: Report) -> None:
    say.line(f"{say.plain(report['name'])}  {report['project']}")
    say.line(f"  owner {report['owner']}, created {say.moment(report['created_at'])}")
    if report["deleted_at"] is not None:
        say.line(f"  DELETED {say.moment(report['deleted_at'])}")
    if report["quarantine"] is not None:
        told = report["quarantine"]
        say.line(f"  QUARANTINED {say.moment(told['at'])}: {say.plain(told['reason'])}")
    say.line(f"  epoch {report['epoch']}, head {report['head']}, last change {say.moment(report['updated_at'])}")
    _print_storage(report)
    _print_document(report["document"])
    _print_people(report)
    _print_history(report)


def _print_storage(report: Report) -> None:
    state, tail = report["state"], report["tail"]
    if state is None:
        say.line("state: none yet, the journal has every row")
    else:
        told = (
            f"state: row {state['seq']}, epoch {state['epoch']}, {say.size(state['bytes'])}, {say.moment(state['at'])}"
        )
        say.line(told + (f"  PROBLEM: {state['problem']}" if state["problem"] else ""))
    problem = f"  PROBLEM: {tail['problem']}" if tail["problem"] else ""
    say.line(f"tail: {tail['rows']} rows, {tail['edits']} edits, {say.size(tail['bytes'])}{problem}")
    rows = [
        (row["seq"], say.moment(row["at"]), row["edits"], row["bytes"], " ".join(row["authors"]))
        for row in tail["newest"]
    ]
    _print_table(("row", "at", "edits", "bytes", "authors"), rows)


def _print_document(document: Report) -> None:
    if document["problem"]:
        say.line(f"document: CANNOT BE READ: {document['problem']}")
        return
    say.line(f"document: {say.size(document['bytes'])} encoded")
    roots = [(root, count["entries"], count["deleted"]) for root, count in document["roots"].items()]
    _print_table(("root", "entries", "deleted"), roots)
    say.line(f"issues a musician sees: {len(document['issues'])}; repairs that are due: {len(document['repairs'])}")
    for due in document["repairs"][:ROWS_SHOWN]:
        say.line(f"  {due['rule']} {say.plain(due['path'])}")


def _print_people(report: Report) -> None:
    say.line(f"client ids bound: {len(report['clients'])}; projected up to row {report['projected']}")
    rows = [
        (who["author_id"] or "server", who["name"], who["edits"], say.moment(who["last_at"]))
        for who in report["authors"]
    ]
    _print_table(("author", "name", "edits", "last"), rows)
    kinds = [
        (kind["kind"], kind["number"], say.size(kind["bytes"]), say.moment(kind["last_at"]))
        for kind in report["snapshots"]
    ]
    _print_table(("snapshots", "number", "size", "last"), kinds)
    here = [
        (who["user_id"], who["name"], who["role"], who["node_id"], say.moment(who["joined_at"]))
        for who in report["present"]
    ]
    _print_table(("present", "name", "role", "node", "since"), here)


def _print_history(report: Report) -> None:
    rows = [
        (
            done["seq"],
            say.moment(done["at"]),
            done["origin"],
            done["edits"],
            done["author_name"] or done["author_id"] or "server",
            _paths(done["paths"]),
        )
        for done in report["history"]
    ]
    _print_table(("row", "at", "origin", "edits", "author", "paths"), rows)


def _paths(paths: list[str]) -> str:
    more = len(paths) - PATHS_SHOWN
    return " ".join(paths[:PATHS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _print_table(headings: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        for text in say.table(headings, rows):
            say.line(f"  {text}")
