"""Whether the structs of one update can be put into an order in which each finds what it leans on.

Within a client the order is given. Across clients it is not, and a hostile update can make clients wait for each other
in a ring: yrs would then keep the structs as pending for ever.
"""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush


def stuck(
    needs: Iterable[tuple[int, int, int, int]], ranges: Iterable[tuple[int, int, int]], known: Mapping[int, int]
) -> bool:
    """True when some need (client, clock, other, end) is met neither by `known` nor by this update's own `ranges`.

    A client's structs become available up to its first unmet need; each need is looked at once more when the client it
    waits for has got far enough, so the time is n log n whatever the update says.
    """
    ends: dict[int, int] = {}
    for client, _, end in ranges:
        ends[client] = max(end, known.get(client, 0))
    queues: dict[int, list[tuple[int, int, int]]] = {}
    for client, clock, other, end in needs:
        if end <= known.get(other, 0):
            continue
        if end > ends.get(other, 0):
            return True
        queues.setdefault(client, []).append((clock, other, end))
    return bool(queues) and _ring(queues, ends, known)


def _ring(queues: dict[int, list[tuple[int, int, int]]], ends: Mapping[int, int], known: Mapping[int, int]) -> bool:
    """Let every client run until it waits; what still waits at the end waits for itself."""
    for queue in queues.values():
        queue.reverse()  # the next need is popped from the end
    reached = {client: known.get(client, 0) if client in queues else end for client, end in ends.items()}
    waiting: dict[int, list[tuple[int, int]]] = {}
    runnable = list(queues)
    while runnable:
        client = runnable.pop()
        queue = queues[client]
        while queue and queue[-1][2] <= reached[queue[-1][1]]:
            queue.pop()
        if queue:
            clock, other, end = queue[-1]
            heappush(waiting.setdefault(other, []), (end, client))
            reached[client] = max(reached[client], clock)
        else:
            reached[client] = ends[client]
        behind = waiting.get(client)
        while behind and behind[0][0] <= reached[client]:
            runnable.append(heappop(behind)[1])
    return any(queues.values())
