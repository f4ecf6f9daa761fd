"""Tests of several nodes in a simulated world where everything that can go wrong does, from a seed.

The simulation has a clock and randomness of its own, so it is a program of its own: run once here, one line a seed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(60)
FOUND = (78, 139, 143, 150, 181, 22206, 70076, 70326, 71099, 103532, 106152, 136533, 139302)
"""Beyond SEEDS: they found something once."""


class Line(NamedTuple):
    """What the program says of a seed."""

    complaints: list[str]
    digest: str


def run(*arguments: str) -> list[tuple[int, Line]]:
    """The program's verdicts in order; fails with its words if it does."""
    command = [sys.executable, "-m", "tests.simulation", "--json", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr.decode()[-4000:]
    told = map(json.loads, done.stdout.splitlines())
    return [(line["seed"], Line(line["complaints"], line["digest"])) for line in told]


@pytest.fixture(scope="module")
def verdicts() -> Mapping[int, Line]:
    """Every seed of these tests, run once."""
    return dict(run("--seed", *map(str, (*SEEDS, *FOUND))))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_nothing_acknowledged_is_lost(seed: int, verdicts: Mapping[int, Line]) -> None:
    """Kills, drains, partitions, slow and failing parts: in the end all documents are the replay of the journal, what
    was acknowledged is in it, who was removed heard no more, and nobody is left anywhere. See run.py for all of it."""
    assert verdicts[seed].complaints == []


def test_seed_5_rows_that_another_node_has_compacted_spoil_no_room(verdicts: Mapping[int, Line]) -> None:
    """A node that lacks rows which are in the stored state by now takes them from there; it used to drop the room, and
    to set the project aside at the third time."""
    assert verdicts[5].complaints == []


def test_seed_8_a_row_never_overtakes_those_before_it(verdicts: Mapping[int, Line]) -> None:
    """While earlier rows are being read, a row from the bus waits; applied at once it leaned on what was not there, and
    people were sent away for what they wrote on it."""
    assert verdicts[8].complaints == []


@pytest.mark.parametrize("seed", [139, 150])
def test_seed_139_a_row_that_is_none_spoils_its_room_alone(seed: int, verdicts: Mapping[int, Line]) -> None:
    """A row that cannot be decoded was an error in the bus' handler, and the rows behind it were never applied."""
    assert verdicts[seed].complaints == []


@pytest.mark.parametrize("seed", [78, 143, 181])
def test_seed_78_a_stored_state_holds_every_row_that_it_replaces(seed: int, verdicts: Mapping[int, Line]) -> None:
    """A row of another node that came while a flight with a state was on its way was not in that state, and was deleted
    with the rows before it: acknowledged edits were lost on the disk."""
    assert verdicts[seed].complaints == []


def test_seed_22206_who_is_removed_while_the_database_is_silent_hears_no_more_once_it_answers(
    verdicts: Mapping[int, Line],
) -> None:
    """The line that tells of memberships was cut without noticing: the next commit that succeeds asks for them."""
    assert verdicts[22206].complaints == []


def test_seed_70076_nodes_tell_somebody_under_the_same_clock(verdicts: Mapping[int, Line]) -> None:
    """Each node numbered presence anew, ever higher: the others' clients held a higher clock of somebody than the node
    told to which both had come, for minutes."""
    assert verdicts[70076].complaints == []


def test_seed_70326_nobody_takes_an_old_state_of_their_own_for_a_newer_one(verdicts: Mapping[int, Line]) -> None:
    """Told back under a higher clock by a node that had numbered it anew, it set its own client back."""
    assert verdicts[70326].complaints == []


def test_seed_71099_a_reader_shows_no_edit_that_was_lost_with_its_node(verdicts: Mapping[int, Line]) -> None:
    """It was told live, and lost before it was committed; who only reads is asked for nothing, and kept it."""
    assert verdicts[71099].complaints == []


def test_seed_103532_a_reader_shows_no_deletion_that_was_lost_with_its_node(verdicts: Mapping[int, Line]) -> None:
    """A deletion leaves no trace in a state vector: the reader's own answer tells of it."""
    assert verdicts[103532].complaints == []


def test_seed_106152_work_of_others_is_not_given_up_while_a_database_is_away(verdicts: Mapping[int, Line]) -> None:
    """Nodes were cut off from the database for seconds, so what they had told was unknown to another for as long; who
    brought it there twice was told that nobody had saved it."""
    assert verdicts[106152].complaints == []


def test_seed_136533_nobody_is_set_back_by_what_an_older_connection_said(verdicts: Mapping[int, Line]) -> None:
    """A node stood still while a client came back several times; what its first connections had said was heard last."""
    assert verdicts[136533].complaints == []


def test_seed_139302_what_was_sent_in_a_short_silence_arrives_after_it(verdicts: Mapping[int, Line]) -> None:
    """The news of a removal came while the database's line was silent for a moment: TCP brings it afterwards."""
    assert verdicts[139302].complaints == []


def test_a_seed_is_one_run(verdicts: Mapping[int, Line]) -> None:
    """The same seed gives the same trace, in another process and after other seeds."""
    again = dict(run("--seed", "7", "3"))
    assert again[3].digest == verdicts[3].digest
    assert again[7].digest == verdicts[7].digest
