"""Tests of how much of one connection is heard."""

from collab_server.allowance import MESSAGE_SECONDS, MESSAGE_WORK_MAX, TURN_SECONDS, TURN_WORK, Allowance, price
from collab_server.settings import Limits

LIMITS = Limits(messages_per_second_max=10, messages_burst_max=30, bytes_per_second_max=1000, bytes_burst_max=5000)


def test_a_turn_ends_when_its_work_is_done_and_the_next_begins_with_time() -> None:
    """Whoever has used its turn waits for the next, and no longer."""
    allowance = Allowance(LIMITS)
    assert allowance.has_turn(1.0)
    allowance.work(TURN_WORK)
    assert not allowance.has_turn(1.0 + TURN_SECONDS / 2)
    assert allowance.has_turn(1.0 + TURN_SECONDS)


def test_a_used_up_rate_takes_the_turn_too() -> None:
    """Messages and bytes count each for itself; what is used up stays so until a second has passed."""
    for messages, size in ((30, 0), (0, 5000)):
        allowance = Allowance(LIMITS)
        allowance.spend(messages, size)
        assert allowance.used_up
        assert not allowance.has_turn(1.0)
        allowance.refill()
        assert allowance.has_turn(2.0)


def test_the_rate_is_filled_up_to_the_burst_and_no_further() -> None:
    """Ten of thirty messages come back each second, and bytes besides."""
    allowance = Allowance(LIMITS)
    allowance.spend(30, 1000)
    assert [allowance.refill() for _ in range(3)] == [True, True, False]
    allowance.spend(29, 4999)
    assert not allowance.used_up
    allowance.spend(1, 0)
    assert allowance.used_up


def test_time_is_counted_in_everyday_edits_and_capped() -> None:
    """One stall does not silence anybody for ever."""
    assert price(MESSAGE_SECONDS * 10.5) == 10
    assert price(3600) == MESSAGE_WORK_MAX


def test_hearing_in_one_step_is_spending_and_asking() -> None:
    """`hears` and `heard` leave what the single steps leave, up to the end of the turn and of the rate."""
    limits = Limits(messages_burst_max=1000, bytes_burst_max=5000)
    at_once, in_steps = Allowance(limits), Allowance(limits)
    for step in range(1200):
        now, seconds = step * TURN_SECONDS / 50, MESSAGE_SECONDS * (step % 30)
        in_steps.spend(1, step % 11)
        assert at_once.hears(step % 11, now) == in_steps.has_turn(now)
        if step % 2:
            in_steps.work(1 + price(seconds))
            in_steps.spend(price(seconds), 0)
            assert at_once.heard(seconds) == in_steps.used_up
    assert at_once.used_up
