"""The queue before the bus is bounded, and what must arrive in the end does."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from presence.events import AccessRevoked, Event, Grew, PresenceSpread, decode
from presence.pending import Pending

PROJECTS = [UUID(int=number) for number in range(1, 4)]


def drained(pending: Pending) -> list[Event]:
    found = []
    while batch := pending.take(7):
        found += [decode(entry.data) for entry in batch]
    return found


def test_revocations_leave_first_and_presence_last() -> None:
    """A removed member does not wait behind other people's cursors."""
    pending = Pending(10, 10_000)
    spread, grew, revoked = PresenceSpread(PROJECTS[0], uuid4(), b"p"), Grew(PROJECTS[0], 1, 2, b"b"), None
    revoked = AccessRevoked(PROJECTS[0], uuid4())
    for event in (spread, grew, revoked):
        pending.put(event)
    assert drained(pending) == [revoked, grew, spread]


def test_presence_never_pushes_out_growth() -> None:
    """A flood of presence drops presence, oldest first, and is counted."""
    pending = Pending(3, 10_000)
    grew = Grew(PROJECTS[0], 1, 2, b"b")
    pending.put(grew)
    flood = [PresenceSpread(PROJECTS[0], uuid4(), b"%d" % number) for number in range(10)]
    for event in flood:
        pending.put(event)
    assert pending.dropped == 7
    assert drained(pending) == [grew, *flood[-3:]]


def test_the_queue_is_bounded_in_bytes() -> None:
    """Many large bodies do not grow memory; the newest of each project is still told."""
    pending = Pending(1000, 10_000)
    for seq in range(100):
        pending.put(Grew(PROJECTS[seq % 2], 1, seq, bytes(4000)))
    assert pending.dropped == 98
    assert len(pending) <= 4
    assert [event.seq for event in drained(pending) if isinstance(event, Grew)][-1] == 99


@given(st.lists(st.tuples(st.sampled_from(PROJECTS), st.booleans()), max_size=60), st.integers(1, 5))
def test_every_project_that_grew_is_told_of_in_the_end(steps: list[tuple[UUID, bool]], events_max: int) -> None:
    """Whatever was dropped, for each project some `Grew` at or after the last dropped one leaves the queue."""
    pending = Pending(events_max, 10_000)
    newest: dict[UUID, int] = {}
    told: dict[UUID, int] = {}
    for seq, (project, take) in enumerate(steps):
        pending.put(Grew(project, 1, seq, b""))
        newest[project] = seq
        taken = [decode(entry.data) for entry in pending.take(1)] if take else []
        told |= {
            event.project_id: max(event.seq, told.get(event.project_id, 0))
            for event in taken
            if isinstance(event, Grew)
        }
    for event in drained(pending):
        assert isinstance(event, Grew)
        told[event.project_id] = max(event.seq, told.get(event.project_id, 0))
    assert told == newest
    assert len(pending) == 0
