"""A comparison comes page by page, whatever happens to the document meanwhile."""

from collections.abc import Sequence

import pytest

from api.compared import cursor_behind, rest_of
from api.errors import ApiError
from studio.compare import Change, Difference


def differences(names: Sequence[str]) -> list[Difference]:
    return [Difference(Change.ADDED, "markers", name, "", None, {}, f"{name} was added") for name in names]


def ids(found: Sequence[tuple[int, Difference]]) -> list[str]:
    return [one.id for _, one in found]


def test_each_page_begins_behind_the_last() -> None:
    """All differences are shown, each once."""
    found = differences([f"m_{number:04}" for number in range(5_000)])
    seen: list[str] = []
    cursor = None
    while rest := rest_of(found, cursor):
        seen += ids(rest[:97])
        cursor = cursor_behind(rest[:97][-1])
    assert seen == [one.id for one in found]


def test_what_came_and_went_meanwhile_moves_no_page() -> None:
    """Behind the one that was shown last, wherever that stands now; if it is gone, behind as many as were shown."""
    cursor = cursor_behind(rest_of(differences("abcd"), None)[1])
    assert ids(rest_of(differences("aabxcd"), cursor)) == ["x", "c", "d"]
    assert ids(rest_of(differences("bcd"), cursor)) == ["c", "d"]
    assert ids(rest_of(differences("acd"), cursor)) == ["d"]
    assert ids(rest_of(differences("a"), cursor)) == []


def test_a_cursor_is_short_however_long_the_ids_are() -> None:
    """The document takes ids of 512 bytes; a cursor has at most 400 characters."""
    found = differences(["🎵" * 128, "b"])
    cursor = cursor_behind(rest_of(found, None)[0])
    assert len(cursor) < 100
    assert ids(rest_of(found, cursor)) == ["b"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwiYiJd", "WyIxIl0"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Another list's, or anything else."""
    with pytest.raises(ApiError, match="invalid"):
        rest_of([], cursor)


def test_an_invented_number_only_chooses_where_the_list_begins() -> None:
    """Below the beginning it is the beginning, beyond the end there is nothing."""
    one = differences("z")[0]
    assert ids(rest_of(differences("ab"), cursor_behind((-5, one)))) == ["a", "b"]
    assert ids(rest_of(differences("ab"), cursor_behind((2**60, one)))) == []
