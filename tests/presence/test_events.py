"""Every event comes back from its bytes, and other bytes are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.errors import BadEvent
from presence.events import (
    AccessRevoked,
    Event,
    Grew,
    NodeGone,
    PresenceSpread,
    PresenceWanted,
    ProjectDeleted,
    ProjectRenamed,
    RoleChanged,
    Said,
    SetAside,
    TransportAsked,
    TransportTold,
    VoiceChanged,
    decode,
    encode,
)
from studio.roles import Role

IDS = st.uuids()
COUNTS = st.integers(0, 2**62)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Grew, IDS, COUNTS, COUNTS, st.binary()),
    st.builds(RoleChanged, IDS, IDS, st.sampled_from(Role)),
    st.builds(AccessRevoked, IDS, IDS),
    st.builds(ProjectDeleted, IDS),
    st.builds(SetAside, IDS),
    st.builds(ProjectRenamed, IDS, st.text()),
    st.builds(PresenceSpread, IDS, IDS, st.binary()),
    st.builds(PresenceWanted, IDS, IDS),
    st.builds(VoiceChanged, IDS, st.lists(IDS).map(tuple)),
    st.builds(Said, IDS, IDS, st.binary()),
    st.builds(TransportAsked, IDS, IDS, st.binary()),
    st.builds(TransportTold, IDS, IDS, st.binary()),
    st.builds(NodeGone, IDS),
)


@given(EVENTS)
def test_what_was_encoded_is_decoded(event: Event) -> None:
    """Equal, whatever bytes and characters it carries."""
    assert decode(encode(event)) == event


@given(st.one_of(st.binary(), st.binary().map(lambda junk: b"\x01" + junk), st.binary().map(lambda j: b"\x01{}\n" + j)))
def test_other_bytes_are_refused(junk: bytes) -> None:
    """Junk, with or without the version byte or a header line, raises BadEvent and nothing else."""
    with pytest.raises(BadEvent):
        decode(junk)


@pytest.mark.parametrize(
    "header",
    [
        b'{"t":"grew","project":"x","epoch":1,"seq":1}',
        b'{"t":"grew","project":"11111111-1111-4111-8111-111111111111","epoch":1,"seq":-1}',
        b'{"t":"grew","project":"11111111-1111-4111-8111-111111111111","epoch":true,"seq":1}',
        b'{"t":"grew","project":"11111111-1111-4111-8111-111111111111","seq":1}',
        b'{"t":"role","project":"11111111-1111-4111-8111-111111111111","user":5,"role":"owner"}',
        b'{"t":"voice","project":"11111111-1111-4111-8111-111111111111","users":"x"}',
        b'{"t":"voice","project":"11111111-1111-4111-8111-111111111111","users":["x"]}',
        b'{"t":["grew"]}',
        b"[]",
        b"[" * 100_000,
        b"{",
    ],
)
def test_a_header_that_says_something_else_is_refused(header: bytes) -> None:
    """Missing, mistyped and deeply nested headers raise BadEvent."""
    with pytest.raises(BadEvent):
        decode(b"\x01" + header + b"\n")
