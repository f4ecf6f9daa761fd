"""How commands speak: lines and tables for people, JSON for programs, both on standard output."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collab_server.operate.errors import OperatorError

UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
UNSEEN: Final = dict.fromkeys((*range(32), *range(127, 160)))
"""Control characters in somebody's name would command the operator's terminal."""


def line(text: str = "") -> None:
    """One line."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """One line beside the result: on standard error."""
    sys.stderr.write(f"{text}\n")


def emit_json(value: object) -> None:
    """One JSON document, indented, with times and ids as text."""
    line(json.dumps(value, indent=2, ensure_ascii=False, default=_text))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines with columns below headings; numbers stand right."""
    cells = [[plain(_text(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    right = [bool(rows) and isinstance(cell, int | float) for cell in (rows[0] if rows else headings)]
    return [_columns(headings, widths, right), *(_columns(row, widths, right) for row in cells)]


def plain(text: str) -> str:
    """The text without control characters."""
    return text.translate(UNSEEN)


def size(number: int) -> str:
    """Bytes as people read them: "3.4 MiB"."""
    amount = float(number)
    for unit in UNITS:
        if amount < 1024 or unit == UNITS[-1]:
            break
        amount /= 1024
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def moment(at: datetime | None) -> str:
    """A time in UTC to the second, "-" for none."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def deliver(data: bytes, target: str) -> None:
    """Write to a file, or to standard output for "-". An existing file is not overwritten."""
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        with Path(target).open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise OperatorError(f"{target} exists already") from None
    except OSError as error:
        raise OperatorError(f"cannot write {target}: {error.strerror}") from error


def confirm(what: str, *, yes: bool, ask: Callable[[str], str] = input) -> None:
    """Say what will be done, and go on only when that is wanted. Raises OperatorError otherwise."""
    note(what)
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperatorError("nothing was done: say --yes, because there is no terminal to ask")
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    if ask("").strip().lower() not in {"y", "yes"}:
        raise OperatorError("nothing was done")


def _columns(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if flush else cell.ljust(width)
        for cell, width, flush in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "-" if value is None else str(value)
