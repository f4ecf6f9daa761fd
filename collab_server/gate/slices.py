"""Cuts a large update into small ones that can be applied one after the other.

yrs applies an update in one call that nothing can interrupt, 15 ms per megabyte: the state of a large document, applied
at once, would keep everybody else waiting. Each slice leans only on what came before it, so that none is ever pending.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush

from collab_server.gate.breath import BREATH, breathe
from collab_server.gate.errors import Malformed
from collab_server.gate.inspection import Inspection
from collab_server.wire import write_varuint


class _Section:
    """One client's structs: the clock at which each begins, and the bytes of the update at which each does.

    `done` structs are in slices already. `waits` are (clock, other client, its clock that must be known), last first.
    """

    __slots__ = ("clocks", "done", "end", "offsets", "reached", "waits")

    def __init__(self, offsets: list[int]) -> None:
        self.offsets = offsets
        self.clocks: list[int] = []
        self.end = 0
        self.reached = -1
        self.done = 0
        self.waits: list[tuple[int, int, int]] = []


def slices(update: bytes, found: Inspection, size: int) -> Iterator[bytes]:
    """`update` in updates of about `size` bytes, of which nothing is missing if nothing of `update` is.

    `found` is what `inspect(update, limits, offsets=True)` says. An update with Skip structs stays whole. The deletions
    come last. Raises Malformed if its structs wait for each other in a ring.
    """
    if len(update) <= size or _skips(found):
        yield update
        return
    sections = _sections(found)
    part: dict[int, tuple[int, int]] = {}
    room = size
    for client, upto in _order(sections):
        section = sections[client]
        while section.done < upto:
            start = section.offsets[section.done]
            stop = max(section.done + 1, min(upto, bisect_right(section.offsets, start + room) - 1))
            part[client] = (part.get(client, (section.done, 0))[0], stop)
            room -= section.offsets[stop] - start
            section.done = stop
            if room <= 0:
                yield _encode(update, sections, part) + b"\x00"
                part, room = {}, size
    yield _encode(update, sections, part) + update[found.offsets[-1] :]


def _skips(found: Inspection) -> bool:
    clients = {client for client, _, _ in found.ranges}
    return len(clients) < len(found.ranges) or len(found.offsets) != len(found.places) + len(found.ranges)


def _sections(found: Inspection) -> dict[int, _Section]:
    sections: dict[int, _Section] = {}
    first = 0
    for client, _, end in found.ranges:
        last = first
        section = sections[client] = _Section([])
        section.end = end
        while last < len(found.places) and found.places[last][0] == client:
            if last & BREATH == BREATH:
                breathe()
            section.clocks.append(found.places[last][1])
            last += 1
        begin = first + len(sections) - 1  # every section before this one has an offset more than it has structs
        section.offsets = found.offsets[begin : begin + last - first + 1].tolist()
        first = last
    for client, clock, other, end in found.needs:
        if other in sections:
            sections[client].waits.append((clock, other, end))
    for section in sections.values():
        section.waits.reverse()
    return sections


def _order(sections: dict[int, _Section]) -> Iterator[tuple[int, int]]:
    """(client, how many of its structs may be there by now), growing: whoever waits for another lets it go first."""
    resting: dict[int, list[tuple[int, int]]] = {}  # client → heap of (its clock that is waited for, by whom)
    ready = list(sections)
    while ready:
        client = ready.pop()
        section = sections[client]
        while section.waits and section.waits[-1][2] <= sections[section.waits[-1][1]].reached:
            section.waits.pop()
        if section.waits:
            clock, other, end = section.waits[-1]
            section.reached = max(section.reached, clock)
            heappush(resting.setdefault(other, []), (end, client))
            yield client, bisect_left(section.clocks, clock)
        else:
            section.reached = section.end
            yield client, len(section.clocks)
        heap = resting.get(client, [])
        while heap and heap[0][0] <= section.reached:
            ready.append(heappop(heap)[1])
    if any(section.waits for section in sections.values()):
        raise Malformed("ring")


def _encode(update: bytes, sections: dict[int, _Section], part: dict[int, tuple[int, int]]) -> bytes:
    encoded = [write_varuint(len(part))]
    for client, (start, stop) in part.items():
        section = sections[client]
        encoded += (
            write_varuint(stop - start),
            write_varuint(client),
            write_varuint(section.clocks[start]),
            update[section.offsets[start] : section.offsets[stop]],
        )
    return b"".join(encoded)
