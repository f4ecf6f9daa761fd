"""The command line: `python -m collab_server` serves, and operates when a command is named."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NoReturn
from uuid import UUID

from pydantic import ValidationError

from collab_server.operate.export import FORMS

PROGRAM: Final = "python -m collab_server"
COMPLAINT: Final = "backline collab server: {}\n"
SERVE: Final = "serve"
NODE_HELP: Final = "address of a node, several times for several nodes (default: COLLAB__HOST and COLLAB__PORT)"
AT_HELP: Final = "row of the journal, or a time such as 2026-05-01T12:00:00Z"
NAME_MAX: Final = 120


SECTIONS: Final[Mapping[str, str]] = {
    "database": "DATABASE__URL",
    "bus": "BUS__URL",
    "tickets": "TICKETS__SECRET",
}
"""What is missing when a whole section is."""


class Parser(argparse.ArgumentParser):
    """Complains in one sentence, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(COMPLAINT.format(message))
        sys.exit(2)


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for; `command` names it. Flags without a command are those of `serve`."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help"}):
        arguments = [SERVE, *arguments]
    return _parser().parse_args(arguments)


def complaint(error: ValidationError) -> str:
    """What is wrong with the settings, in one sentence."""
    first = error.errors()[0]
    section = str(first["loc"][0])
    if first["type"] == "missing" and len(first["loc"]) == 1 and section in SECTIONS:
        return f"{SECTIONS[section]} is not set"
    return f"{'__'.join(map(str, first['loc'])).upper()}: {first['msg']}"


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM, description="A node of the studio, and what its operators do. Without a command: serve."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def add(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help, allow_abbrev=False)

    _serving(add)
    _looking(add)
    _moving(add)
    _changing(add)
    _watching(add)
    return parser


Add = Callable[[str, str], argparse.ArgumentParser]


def _serving(add: Add) -> None:
    serve = add(SERVE, "run a node; flags go before the environment")
    serve.add_argument("--host", help="where it listens (COLLAB__HOST)")
    serve.add_argument("--port", type=_port, help="where it listens (COLLAB__PORT)")
    serve.add_argument("--public-url", help="how clients reach it (COLLAB__PUBLIC_URL)")
    serve.add_argument("--drain-seconds", type=_seconds, help="last commits (COLLAB__DRAIN_SECONDS_MAX)")
    serve.add_argument("--log-level", help="debug, info, warning, error or critical (LOG__LEVEL)")


def _looking(add: Add) -> None:
    inspect = add("inspect", "one document at a glance: rows, sizes, people, history, repairs")
    _project(inspect)
    inspect.add_argument("--history", type=_count, default=10, metavar="N", help="the newest N edits (10)")
    _json(inspect)
    verify = add("verify", "is what nodes serve exactly what is stored? Exit code 1 when it is not")
    chosen = verify.add_mutually_exclusive_group(required=True)
    chosen.add_argument("project", nargs="?", type=_uuid, metavar="PROJECT")
    chosen.add_argument("--all", action="store_true", help="every project, with progress on stderr")
    verify.add_argument("--node", action="append", default=[], metavar="URL", help="compare with what this node serves")
    _json(verify)


def _moving(add: Add) -> None:
    export = add("export", "write the committed document")
    _project(export)
    _form(export)
    arrive = add("import", "a new project from canonical JSON or a Yjs update; prints its id")
    arrive.add_argument("file", metavar="FILE")
    arrive.add_argument("--owner", required=True, metavar="USER", help="id, user name or e-mail address")
    arrive.add_argument("--name", type=_name, help="instead of the name in the file")
    _yes(arrive)
    replay = add("replay", "write the document as it was at a row or a time")
    _project(replay)
    replay.add_argument("--at", type=_at, required=True, metavar="WHEN", help=AT_HELP)
    replay.add_argument("--nearest", action="store_true", help="take the newest snapshot before, when that is not kept")
    _form(replay)


def _changing(add: Add) -> None:
    restore = add("restore", "bring the live document to an earlier state, by one edit")
    _project(restore)
    where = restore.add_mutually_exclusive_group(required=True)
    where.add_argument("--snapshot", type=_uuid, metavar="ID")
    where.add_argument("--at", type=_at, metavar="WHEN", help=AT_HELP)
    _yes(restore)
    quarantine = add("quarantine", "set a document aside, or release it")
    _project(quarantine)
    what = quarantine.add_mutually_exclusive_group()
    what.add_argument("--release", action="store_true", help="let it be opened again")
    what.add_argument("--reason", help="why, for the next operator")
    _yes(quarantine)
    epoch = add("epoch", "a new lineage: clients with older copies start afresh (4409)")
    chosen = epoch.add_mutually_exclusive_group(required=True)
    chosen.add_argument("project", nargs="?", type=_uuid, metavar="PROJECT")
    chosen.add_argument("--all", action="store_true", help="every project: after going back to a backup")
    _yes(epoch)


def _watching(add: Add) -> None:
    rooms = add("rooms", "what nodes have open (needs OPERATOR__TOKEN)")
    connections = add("connections", "who is connected to nodes (needs OPERATOR__TOKEN)")
    top = add("top", "nodes and their busiest rooms, live; q quits (needs OPERATOR__TOKEN)")
    top.add_argument("--once", action="store_true", help="one picture, for scripts")
    top.add_argument("--interval", type=_seconds, default=1.0, metavar="S", help="seconds between pictures (1)")
    for command in (rooms, connections, top):
        command.add_argument("--node", action="append", default=[], metavar="URL", help=NODE_HELP)
        _json(command)


def _project(command: argparse.ArgumentParser) -> None:
    command.add_argument("project", type=_uuid, metavar="PROJECT", help="its id")


def _form(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=FORMS, default=FORMS[0], help="canonical JSON, or one Yjs update")
    command.add_argument("-o", "--output", default="-", metavar="FILE", help="a new file (default: standard output)")


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for programs")


def _yes(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no id such as 123e4567-e89b-42d3-a456-426614174000") from None


def _at(text: str) -> int | datetime:
    """A row's number, or a time; one without a zone is UTC."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a row nor a time such as 2026-05-01T12:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 7:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of entries")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0.05 <= seconds <= 3600:
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.05 to 3600")


def _name(text: str) -> str:
    if text.strip() and len(text.encode("utf-16-le")) <= 2 * NAME_MAX:
        return text.strip()
    raise argparse.ArgumentTypeError(f"a project's name has 1 to {NAME_MAX} characters")
