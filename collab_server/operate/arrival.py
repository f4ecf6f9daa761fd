"""`import`: a new project from canonical JSON or from one Yjs update, whoever wrote it.

The bytes are a stranger's: an update passes the gate before yrs sees it, and what comes of either is repaired and then
opened as a room would open it. Only then is it stored.
"""

import codecs
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from uuid import UUID, uuid4

from pycrdt import Doc

from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.inspection import missing
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.opening import CLIENT_ID_BITS, build
from collab_server.operate import say
from collab_server.operate.errors import OperatorError
from collab_server.operate.store import Store
from collab_server.settings import Limits
from persistence.body import Entry, encode
from persistence.editing import SERVER_CLIENT
from persistence.errors import CorruptState
from persistence.journal import Loaded, Row
from persistence.upkeep import create_project, find_user
from studio.blank import blank, open_doc
from studio.edits import become_fork, restore
from studio.errors import Invalid
from studio.fields import shortened
from studio.repair import Firsts, over_limit, repair
from studio.schema import ROOT_NAMES, SCHEMA

NAME_UNITS: Final = 120
UNNAMED: Final = "Imported"
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
NUMBERS: Final = (int, float)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a file holds: a canonical document, or an update."""

    content: dict[str, Any] | None
    update: bytes


async def import_project(store: Store, path: str, owner: str, name: str | None, *, yes: bool) -> int:
    """Make the project and print its id."""
    parcel = unpacked(_file(path), path)
    user = await find_user(store.pool, owner)
    if user is None:
        raise OperatorError(f"there is no user {owner!r}: give an id, a user name or an e-mail address")
    project_id = uuid4()
    called, seed = seed_of(parcel, project_id, str(user), name, time.time_ns() // 1_000_000)
    say.confirm(f"this makes a new project {called!r} of user {user} from {path} ({say.size(len(seed))})", yes=yes)
    await create_project(store.pool, project_id, user, called, seed)
    say.line(str(project_id))
    return 0


def unpacked(data: bytes, path: str) -> Parcel:
    """JSON begins with a brace. So does an update of 123 clients, hence what is no JSON may still be an update."""
    if not data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return Parcel(None, data)
    try:
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return Parcel(None, data)
    if not ROOT_NAMES & content.keys():
        raise OperatorError(f"{path} is no document of ours: it has none of its roots")
    wrong = sorted(root for root in ROOT_NAMES & content.keys() if not isinstance(content[root], dict))
    if wrong:
        raise OperatorError(f"{path} is no document of ours: {wrong[0]} is no object")
    if not _writable(content):
        raise OperatorError(f"{path} cannot be taken over: it has half characters, or is nested too deeply")
    return Parcel(content, b"")


def _writable(content: dict[str, Any]) -> bool:
    """Whether yrs can write this: half a surrogate pair would make it panic, and deep nesting costs its stack."""
    level: list[object] = [content]
    for _ in range(GateLimits().depth_max):
        level = [item for held in level for item in _within(held)]
        if not level:
            break
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return not level


def _within(held: object) -> Iterable[object]:
    if isinstance(held, dict):
        return held.values()
    return held if isinstance(held, list) else ()


def seed_of(parcel: Parcel, project_id: UUID, owner: str, name: str | None, now_ms: int) -> tuple[str, bytes]:
    """The project's name and the first update of its journal. Raises OperatorError for what no room would open."""
    try:
        if parcel.content is not None:
            called, doc = _from_json(parcel.content, project_id, owner, name, now_ms)
        else:
            called, doc = _from_update(parcel.update, project_id, owner, name, now_ms)
        repair(doc, None, Firsts.of(doc))
        if over_limit(doc):
            raise OperatorError("the document has more entries than a project may have")
        seed = doc.get_update()
    except (Invalid, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise OperatorError(f"the document cannot be taken over: {error}") from error
    _opens(project_id, seed)
    return called, seed


def _from_json(
    content: dict[str, Any], project_id: UUID, owner: str, name: str | None, now_ms: int
) -> "tuple[str, Doc[Any]]":
    called = name or _name(content.get("meta", {}).get("name"))
    doc = open_doc(SERVER_CLIENT)
    doc.apply_update(blank(str(project_id), called, owner, now_ms, SERVER_CLIENT))
    restore(doc, content, owner, now_ms)
    with doc.transaction():
        for asset, facts in content.get("assets", {}).items():
            doc["assets"][asset] = _wire(facts)
    return called, doc


def _from_update(update: bytes, project_id: UUID, owner: str, name: str | None, now_ms: int) -> "tuple[str, Doc[Any]]":
    """The update's own history is kept, so that copies of it elsewhere can still be merged."""
    doc = _applied(update)
    schema = doc["meta"].get("schema")
    if not isinstance(schema, NUMBERS) or not ROOT_NAMES.issuperset(doc.keys()):
        raise OperatorError("the update is of no studio document")
    if schema > SCHEMA:
        raise OperatorError(f"the document has schema {schema:g}, newer than ours ({SCHEMA})")
    called = name or _name(doc["meta"].get("name"))
    become_fork(doc, project_id=str(project_id), name=called, parent=None, created_by=owner, now_ms=now_ms)
    return called, doc


def _applied(update: bytes) -> "Doc[Any]":
    limits = GateLimits(update_bytes_max=Limits().document_bytes_max)
    doc = open_doc(SERVER_CLIENT)
    try:
        seen = inspect(update, limits)
        if missing(seen, {}):
            raise OperatorError("the update leans on others that are not in the file")
        plan = Shape(limits).plan(seen)
        if plan.gone or not plan.roots <= ROOT_NAMES:
            raise OperatorError("the update is of no studio document")
        doc.apply_update(update)
    except (Malformed, TooLarge) as error:
        raise OperatorError(f"the file is neither JSON nor a Yjs update that we take: {error}") from error
    except BaseException as error:  # yrs panics are BaseExceptions
        if isinstance(error, OperatorError | KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise OperatorError(f"the update cannot be applied: {type(error).__name__}: {error}") from error
    return doc


def _opens(project_id: UUID, seed: bytes) -> None:
    """The last word has what will have to open it."""
    if len(seed) > Limits().document_bytes_max:
        raise OperatorError(f"the document is too large: {say.size(len(seed))}")
    client = secrets.randbits(CLIENT_ID_BITS - 1) + 2
    try:
        build(
            project_id, Loaded(1, 1, None, [Row(1, encode([Entry(None, seed)]))], {}), client, Limits(), whole=True
        ).close()
    except CorruptState as error:
        raise OperatorError(f"no room could open this document: {error.reason}") from error


def _name(found: object) -> str:
    text = shortened(say.plain(found).strip(), NAME_UNITS) if isinstance(found, str) else ""
    return text or UNNAMED


def _wire(value: object) -> object:
    """Numbers as Yjs reads them."""
    if isinstance(value, dict):
        return {key: _wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _file(path: str) -> bytes:
    try:
        if Path(path).stat().st_size > FILE_BYTES_MAX:
            raise OperatorError(f"{path} is larger than {say.size(FILE_BYTES_MAX)}")
        return Path(path).read_bytes()
    except OSError as error:
        raise OperatorError(f"cannot read {path}: {error.strerror}") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
