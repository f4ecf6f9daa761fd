"""Ports of the nodes."""

import socket
from collections.abc import Callable

from launch.wanted import FIRST_PORT, USUAL_EPHEMERAL, Wanted, node_ports


def test_a_single_node_has_the_port_itself(free_port: int) -> None:
    """Without a balancer the one collab server listens on --ws."""
    assert node_ports(Wanted(None, free_port + 1, free_port)) == (free_port,)


def test_nodes_have_unused_ports_of_their_own(free_ports: Callable[[], int]) -> None:
    """Eight nodes: eight different ports that can be bound, none of which the system gives to outgoing connections."""
    ports = node_ports(Wanted(None, free_ports(), free_ports(), 8))
    assert len(set(ports)) == 8
    for port in ports:
        assert FIRST_PORT <= port < USUAL_EPHEMERAL
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
