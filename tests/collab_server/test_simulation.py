"""Tests of a room in a world where everything that can go wrong does, at random but from a seed."""

import pytest

from tests.collab_server.simulation import Simulation

SEEDS = (*range(60), 1140, 1163, 1175)
"""Those above 1000 found something once."""
STEPS = 700


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_everybody_ends_with_the_same_song(seed: int) -> None:
    """Disconnects, losses, slow readers, late and repeated rows, another node and crashes: in the end every document
    and the replay of the journal are equal, and everything is acknowledged."""
    simulation = Simulation(seed)
    for _ in range(STEPS):
        simulation.step()
    simulation.settle()
    simulation.check()
    assert simulation.saved > 0
    assert len(simulation.rows) > 1
