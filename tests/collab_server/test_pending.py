"""Tests of what waits for the journal."""

from uuid import UUID

from collab_server.pending import PATHS_PER_CHANGE_MAX, Pending
from persistence.body import Entry, decode
from studio.watch import Touched
from tests.collab_server.rooms import PROJECT, Person

ADA, BOB = UUID(int=21), UUID(int=22)


def touched(root: str, id: str, *keys: str) -> Touched:
    """Changed keys of one entity."""
    return Touched(root, id, frozenset(keys))


def test_nothing_pending_is_false() -> None:
    """An empty flight has no batch and nobody to tell."""
    pending = Pending()
    assert not pending
    flight = pending.take(PROJECT, 1, 7)
    assert (flight.batch, list(flight.acks), flight.size) == (None, [], 0)


def test_entries_keep_their_order_and_authors() -> None:
    """One body with every update in order of arrival; bytes are counted until taken."""
    pending = Pending()
    pending.add(ADA, "edit", [b"one", b"two"], [])
    pending.add(None, "repair", [b"three"], [])
    pending.add(BOB, "edit", [b"four"], [])
    assert pending
    assert pending.size == 15
    flight = pending.take(PROJECT, 3, 7)
    assert flight.batch is not None
    assert decode(flight.batch.body) == [
        Entry(ADA, b"one"),
        Entry(ADA, b"two"),
        Entry(None, b"three"),
        Entry(BOB, b"four"),
    ]
    assert (flight.batch.project_id, flight.batch.epoch, flight.batch.edits, flight.size) == (PROJECT, 3, 4, 15)
    assert not pending
    assert pending.size == 0


def test_changes_are_gathered_by_author_and_origin() -> None:
    """However many updates, one change for each author and origin, with sorted paths said once."""
    pending = Pending()
    pending.add(ADA, "edit", [b"1"], [touched("tracks", "t_1", "name")])
    pending.add(BOB, "edit", [b"2"], [touched("transport", "", "bpm")])
    pending.add(ADA, "edit", [b"3", b"4"], [touched("tracks", "t_1", "gain_db"), touched("tracks", "t_1", "name")])
    flight = pending.take(PROJECT, 1, 7)
    assert flight.batch is not None
    found = [(change.author_id, change.origin, change.edits, change.paths) for change in flight.batch.changes]
    assert found == [
        (ADA, "edit", 3, ("tracks/t_1/gain_db", "tracks/t_1/name")),
        (BOB, "edit", 1, ("transport/bpm",)),
    ]


def test_a_huge_change_names_its_roots_only() -> None:
    """Nobody reads ten thousand paths."""
    pending = Pending()
    pending.add(ADA, "edit", [b"1"], [touched("clips", f"c_{n}", "pos") for n in range(PATHS_PER_CHANGE_MAX + 1)])
    flight = pending.take(PROJECT, 1, 7)
    assert flight.batch is not None
    assert flight.batch.changes[0].paths == ("clips",)


def test_acknowledgements_alone_make_a_flight_without_a_batch() -> None:
    """A repeat needs no row, but its sender an answer."""
    pending, ada = Pending(), Person(10)
    pending.acknowledge(ada.member, [b"one", b"two"])
    assert pending
    flight = pending.take(PROJECT, 1, 7)
    assert flight.batch is None
    assert list(flight.acks) == [(ada.member, [b"one", b"two"])]


def test_new_client_ids_travel_with_the_batch() -> None:
    """And only once."""
    pending = Pending()
    pending.bind(10, ADA)
    pending.add(ADA, "edit", [b"1"], [])
    first = pending.take(PROJECT, 1, 7)
    pending.add(ADA, "edit", [b"2"], [])
    second = pending.take(PROJECT, 1, 7)
    assert first.batch is not None
    assert second.batch is not None
    assert first.batch.clients == ((10, ADA),)
    assert second.batch.clients == ()
