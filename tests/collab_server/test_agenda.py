"""Tests of appointments by the second."""

from collab_server.agenda import Agenda


def test_what_is_due_comes_once_in_the_order_of_its_seconds() -> None:
    """At the first whole second from its time on, and not again until it is put again."""
    agenda: Agenda[str] = Agenda(100.4)
    agenda.put("late", 103.0)
    agenda.put("early", 101.2)
    assert agenda.due(101.9) == []
    assert agenda.due(102.0) == ["early"]
    assert agenda.due(102.1) == []
    assert agenda.due(104.7) == ["late"]
    assert agenda.due(1_000.0) == []


def test_what_should_have_been_is_due_at_once() -> None:
    """A time that has passed is no reason to be forgotten."""
    agenda: Agenda[str] = Agenda(100.0)
    assert agenda.due(110.5) == []
    agenda.put("missed", 90.0)
    assert agenda.due(111.0) == ["missed"]


def test_after_a_long_pause_everything_is_due_oldest_first() -> None:
    """A machine that stood still does not skip anybody."""
    agenda: Agenda[int] = Agenda(0.0)
    for second in (30, 10, 20, 10):
        agenda.put(second, float(second))
    assert agenda.due(500.0) == [10, 10, 20, 30]
