"""Reads a state vector: what a peer says it already has.

yrs allocates for the declared number of clients before reading one, so five bytes can ask for hundreds of megabytes.
"""

from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import CLIENT_MAX, CLOCK_MAX, Limits
from collab_server.wire import read_varuint


def inspect_vector(data: bytes, limits: Limits) -> dict[int, int]:
    """Client id -> the first clock the peer lacks. Raises Malformed or TooLarge."""
    count, pos = read_varuint(data, 0)
    if count * 2 > len(data) - pos:  # a client id and a clock, a byte each at least
        raise Malformed("count")
    if count > limits.vector_clients_max:
        raise TooLarge("vector_clients_max", limits.vector_clients_max)
    vector: dict[int, int] = {}
    for _ in range(count):
        client, pos = read_varuint(data, pos)
        clock, pos = read_varuint(data, pos)
        if client > CLIENT_MAX or clock > CLOCK_MAX:
            raise Malformed("out of range")
        if client in vector:
            raise Malformed("client twice")
        vector[client] = clock
    if pos != len(data):
        raise Malformed("trailing bytes")
    return vector
