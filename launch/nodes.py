"""Which node gets the next connection: among the ready ones the one with the fewest."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Node:
    """One collab server behind the balancer."""

    port: int
    ready: bool = False
    connections: int = 0
    chosen: int = 0
    """The turn in which it was chosen last: of equals the one that waited longest is next."""


class Choice:
    """The nodes, and the order in which they are tried."""

    def __init__(self, ports: Iterable[int]) -> None:
        self.nodes = tuple(Node(port) for port in ports)
        self._turn = 0

    def candidates(self) -> list[Node]:
        """All of them, the best first.

        Those that say that they are not ready come last instead of never: while the database is away none is ready,
        and a node that can be reached has a better answer for its client than we have.
        """
        return sorted(self.nodes, key=lambda node: (not node.ready, node.connections, node.chosen))

    def take(self, node: Node) -> "Lease":
        """A connection is about to be made to `node`: it counts at once, so that a storm is spread."""
        self._turn += 1
        node.connections += 1
        node.chosen = self._turn
        return Lease(node)


class Lease:
    """One connection's place on a node."""

    def __init__(self, node: Node) -> None:
        self._node: Node | None = node

    def end(self) -> None:
        """The connection has ended, or did not come about; whoever says it a second time changes nothing."""
        if self._node is not None:
            self._node.connections -= 1
        self._node = None
