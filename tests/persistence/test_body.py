"""The journal body round-trips and refuses what it did not write."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.body import Entry, MalformedBody, decode, encode

AUTHORS = st.one_of(st.none(), st.uuids().filter(lambda author: author.int != 0))
ENTRIES = st.lists(st.builds(Entry, AUTHORS, st.binary(max_size=300)), max_size=12)


@given(ENTRIES)
def test_what_was_encoded_is_decoded(entries: list[Entry]) -> None:
    """Every list of entries comes back equal, in order, each with its author."""
    assert decode(encode(entries)) == entries


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_are_refused(junk: bytes) -> None:
    """No bytes raise anything but MalformedBody, and what is accepted means the same when written again."""
    try:
        entries = decode(junk)
    except MalformedBody:
        return
    assert decode(encode(entries)) == entries


@given(ENTRIES.filter(bool), st.data())
def test_a_cut_body_is_refused_or_shorter(entries: list[Entry], data: st.DataObject) -> None:
    """A body cut anywhere never yields an entry that was not there."""
    body = encode(entries)
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    try:
        found = decode(cut)
    except MalformedBody:
        return
    assert found == entries[: len(found)]


def test_an_author_is_named_once_for_its_run() -> None:
    """Consecutive updates of one author carry 17 bytes of authorship together, the server's first ones none."""
    author = UUID(int=7)
    assert encode([Entry(None, b"ab")]) == b"\x01\x02ab"
    assert encode([Entry(author, b"a"), Entry(author, b"b")]) == b"\x00" + author.bytes + b"\x01\x01a\x01\x01b"


@pytest.mark.parametrize("body", [b"\x02", b"\x00short", b"\x01", b"\x01\x05abc", b"\x01" + b"\xff" * 9 + b"\x01"])
def test_a_malformed_body_says_so(body: bytes) -> None:
    """Unknown tags, cut authors, cut lengths and lengths beyond the end are refused."""
    with pytest.raises(MalformedBody):
        decode(body)
