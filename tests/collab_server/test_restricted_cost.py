"""A restricted editor's update costs at most three times an editor's, in the room where it is decided."""

import time
from collections.abc import Callable

import pytest

from studio.restriction import Only, Restriction
from studio.roles import Role
from tests.collab_server.rooms import Hands, Person, open_room
from tests.collab_server.songs import song

RATIO_MAX = 3.0
EDITS = 300
WARM = 20
ROUNDS = 4

KINDS: dict[str, tuple[Restriction, Callable[[Person, int], bytes]]] = {
    "a fader": (Restriction(Only.MIX), lambda p, i: p.field("tracks", "t_1", "gain_db", -(i % 90) / 2)),
    "a clip": (
        Restriction(Only.TRACKS, frozenset({"t_1"})),
        lambda p, i: p.field("clips", "c_1", "pos", 960.0 * (i % 50)),
    ),
    "a new point": (Restriction(Only.MIX), lambda p, i: p.put("points", f"t_1.gain/p_{i}", [float(i), 0.5, 1.0])),
    "a new point of a track": (
        Restriction(Only.TRACKS, frozenset({"t_1"})),
        lambda p, i: p.put("points", f"t_1.gain/p_{i}", [float(i), 0.5, 1.0]),
    ),
    "a new marker": (Restriction(Only.MARKERS), lambda p, i: p.marker(f"m_{i}", 10 * i, "x")),
}


def seconds(restriction: Restriction | None, make: Callable[[Person, int], bytes], together: int) -> float:
    """Processor time of the edits of one member, so many to a tick, with their commits."""
    hands, bob = Hands(open_room(song(16, 200))), Person(11)
    hands.join(bob)
    updates = [make(bob, number) for number in range(WARM + EDITS)]
    bob.member.become(Role.EDITOR, restriction)
    hands.edit(bob, *updates[:WARM])
    hands.copy()
    hands.commit()
    started = time.process_time()
    for first in range(WARM, WARM + EDITS, together):
        hands.edit(bob, *updates[first : first + together])
        hands.commit()
    spent = time.process_time() - started
    assert bob.member not in hands.expelled
    return spent


@pytest.mark.parametrize("together", [1, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_restricted_editors_update_costs(kind: str, together: int) -> None:
    """The fastest of some rounds of each: everyday edits are decided at a glance, others on the shadow."""
    restriction, make = KINDS[kind]
    free = min(seconds(None, make, together) for _ in range(ROUNDS))
    restricted = min(seconds(restriction, make, together) for _ in range(ROUNDS))
    assert restricted <= RATIO_MAX * free, f"{restricted / free:.2f} times"
