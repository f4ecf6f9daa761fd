"""The choice among nodes: ready ones before others, and the one with the fewest connections first."""

from launch.nodes import Choice


def test_the_fewest_connections_are_next() -> None:
    """Connections are spread evenly, and one that has ended makes room on its own node."""
    choice = Choice((1, 2, 3))
    for node in choice.nodes:
        node.ready = True
    leases = {}
    for _ in range(3):
        best = choice.candidates()[0]
        leases[best.port] = choice.take(best)
    assert set(leases) == {1, 2, 3}
    leases[2].end()
    assert choice.candidates()[0].port == 2


def test_equals_take_turns() -> None:
    """Among nodes without connections the one that was chosen longest ago is next."""
    choice = Choice((1, 2, 3))
    order = []
    for _ in range(6):
        best = choice.candidates()[0]
        order.append(best.port)
        choice.take(best).end()
    assert order == [1, 2, 3, 1, 2, 3]


def test_who_is_not_ready_comes_last_but_comes() -> None:
    """A node that is not ready is tried when all others have failed, however few connections it has."""
    choice = Choice((1, 2))
    first, second = choice.nodes
    second.ready = True
    for _ in range(5):
        choice.take(second)
    assert choice.candidates() == [second, first]


def test_a_lease_ends_once() -> None:
    """Whoever says twice that a connection has ended takes nothing from the node's other connections."""
    choice = Choice((1,))
    (node,) = choice.nodes
    choice.take(node)
    lease = choice.take(node)
    lease.end()
    lease.end()
    assert node.connections == 1
