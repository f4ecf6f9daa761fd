"""`top`: running nodes as a picture that redraws itself, in plain ANSI; q or Ctrl-C ends it."""

import asyncio
import shutil
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from collab_server.operate import say
from collab_server.operate.errors import NodeUnreachable, OperatorError
from collab_server.operate.node import Node
from collab_server.operate.samples import Reading, RoomSight, Sight, sight

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
END_OF_LINE: Final = "\x1b[K\r\n"
BELOW: Final = "\x1b[J"
BOLD: Final = "\x1b[1m{}\x1b[0m"
ONCE_ROOMS: Final = 20
NODE_COLUMNS: Final = (
    *("node", "rooms", "conns", "edits/s", "deliv/s", "commits/s", "commit ms", "loop p99 ms", "loop max ms"),
    *("save lag s", "unsaved", "outbox", "refused"),
)
ROOM_COLUMNS: Final = ("project", "edits/s", "rows/s", "members", "unsaved", "document", "node")

Seen = dict[str, Sight | NodeUnreachable]


async def top(nodes: Sequence[Node], *, interval: float, once: bool, as_json: bool) -> int:
    """Show the nodes until q, or one picture of the next `interval` seconds with `once`."""
    before = await _readings(nodes)
    if once:
        await asyncio.sleep(interval)
        seen = _sights(before, await _readings(nodes))
        for failure in (found for found in seen.values() if isinstance(found, NodeUnreachable)):
            raise failure
        _once(seen, as_json)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError("top needs a terminal; --once prints one picture without")
    with _screen() as stop:
        while not stop.is_set():
            await _pause(stop, interval)
            now = await _readings(nodes)
            _draw(_sights(before, now))
            before = now
    return 0


def _once(seen: Seen, as_json: bool) -> None:
    sights = [found for found in seen.values() if isinstance(found, Sight)]
    if as_json:
        say.emit_json([found.as_json() for found in sights])
        return
    for text in picture(seen, ONCE_ROOMS):
        say.line(text)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _readings(nodes: Sequence[Node]) -> dict[str, Reading | NodeUnreachable]:
    found = await asyncio.gather(*map(_reading, nodes))
    return {node.url: reading for node, reading in zip(nodes, found, strict=True)}


async def _reading(node: Node) -> Reading | NodeUnreachable:
    try:
        rooms = {room["project"]: room for room in await node.rooms()}
        return Reading(node.url, time.monotonic(), rooms, await node.metrics())
    except NodeUnreachable as error:
        return error


def _sights(before: dict[str, Reading | NodeUnreachable], now: dict[str, Reading | NodeUnreachable]) -> Seen:
    """A node that has only just answered is shown from the next reading on."""
    seen: Seen = {}
    for url, reading in now.items():
        was = before[url]
        if isinstance(reading, NodeUnreachable):
            seen[url] = reading
        elif isinstance(was, Reading):
            seen[url] = sight(was, reading)
        else:
            seen[url] = sight(reading, reading)
    return seen


def picture(seen: Seen, rooms_max: int) -> list[str]:
    """The lines: a table of nodes, then the busiest rooms of all of them."""
    sights = [found for found in seen.values() if isinstance(found, Sight)]
    lines = say.table(NODE_COLUMNS, [_node_row(found) for found in sights])
    lines += [str(found) for found in seen.values() if isinstance(found, NodeUnreachable)]
    rooms = sorted(
        ((room, found.url) for found in sights for room in found.busiest),
        key=lambda pair: (-pair[0].edits_per_second, -pair[0].members, pair[0].project),
    )
    lines += ["", *say.table(ROOM_COLUMNS, [_room_row(*pair) for pair in rooms[:rooms_max]])]
    more = len(rooms) - rooms_max
    return [*lines, f"and {more} more rooms"] if more > 0 else lines


def _node_row(found: Sight) -> tuple[object, ...]:
    """See NODE_COLUMNS."""
    return (
        found.url,
        found.rooms,
        found.connections,
        *(_rate(found.per_second[name]) for name in ("edits", "deliveries", "commits")),
        *(_rate(1000 * lag) for lag in (found.commit_seconds, found.loop_lag_seconds, found.loop_lag_max_seconds)),
        _rate(found.save_lag_seconds),
        say.size(found.unsaved_bytes),
        say.size(found.outbox_bytes),
        found.refusals,
    )


def _room_row(room: RoomSight, url: str) -> tuple[object, ...]:
    """See ROOM_COLUMNS."""
    return (
        room.project,
        _rate(room.edits_per_second),
        _rate(room.rows_per_second),
        room.members,
        say.size(room.unsaved_bytes),
        say.size(room.document_bytes),
        url,
    )


def _rate(number: float) -> float:
    return round(number, 1)


def _draw(seen: Seen) -> None:
    width, height = shutil.get_terminal_size()
    nodes = len(seen) + 5
    lines = [f"backline  {time.strftime('%H:%M:%S')}  q quits", "", *picture(seen, max(1, height - nodes - 2))]
    shown = [text[:width] for text in lines[: height - 1]]
    shown[0] = BOLD.format(shown[0])
    sys.stdout.write(HOME + END_OF_LINE.join(shown) + END_OF_LINE + BELOW)
    sys.stdout.flush()


@contextmanager
def _screen() -> Iterator[asyncio.Event]:
    """The terminal's second screen, with keys read as they are typed; the event is set when it shall end."""
    stop, loop, keys = asyncio.Event(), asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(keys)

    def typed() -> None:
        if sys.stdin.read(1) in {"q", "Q", ""}:
            stop.set()

    sys.stdout.write(ENTER)
    tty.setcbreak(keys)
    loop.add_reader(keys, typed)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        loop.remove_reader(keys)
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
        sys.stdout.write(LEAVE)
        sys.stdout.flush()
