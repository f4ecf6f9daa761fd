"""Opaque cursors."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cursor
from api.errors import ApiError


def test_a_cursor_reads_back_what_it_was_made_of() -> None:
    """Times, ids, numbers and names survive."""
    at, one = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), uuid4()
    made = cursor.encode(at, one, -7, "m_é🎵")
    assert made.isascii()
    assert cursor.decode(made, cursor.moment, UUID, cursor.whole, cursor.short) == (at, one, -7, "m_é🎵")


@given(st.text(max_size=500))
def test_anything_else_is_a_typed_refusal(text: str) -> None:
    """Whatever somebody invents, it is a cursor or it is refused as one."""
    outcome: object
    try:
        (outcome,) = cursor.decode(text, cursor.whole)
    except ApiError as error:
        outcome = error.code
    assert outcome == "invalid" or isinstance(outcome, int)


@pytest.mark.parametrize("parts", [(2**63,), (-(2**63) - 1,), ("9" * 30,), (1, 2), ()])
def test_numbers_the_database_cannot_hold_are_refused(parts: tuple[int | str, ...]) -> None:
    """And so is the wrong number of parts."""
    with pytest.raises(ApiError):
        cursor.decode(cursor.encode(*parts), cursor.whole)


def test_the_last_page_has_no_cursor() -> None:
    """A full page with nothing behind it is the last one."""
    assert cursor.paged([1, 2], 2, str) == ([1, 2], None)
    assert cursor.paged([1, 2, 3], 2, str) == ([1, 2], "2")
    assert cursor.paged([], 2, str) == ([], None)
