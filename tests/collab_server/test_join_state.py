"""Tests of the cached state for newcomers."""

from collab_server.join_state import EMPTY_VECTOR, JoinState
from collab_server.wire import Kind
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.rooms import DIALECT, SEED, Person, frames, messages


def host() -> Person:
    """Whose document the state is of."""
    return Person(10).know(SEED)


def test_a_newcomer_gets_the_whole_document() -> None:
    """Step2 with the whole state."""
    ada = host()
    ada.track("t_1")
    ((kind, state),) = messages(JoinState().frames(ada.state, DIALECT))
    late = open_doc()
    late.apply_update(state)
    assert kind is Kind.STEP2
    assert canonical(late) == ada.json()


def test_the_same_bytes_are_written_to_everybody() -> None:
    """Nothing is encoded twice while nothing changes."""
    ada, state = host(), JoinState()
    assert state.frames(ada.state, DIALECT) is state.frames(ada.state, DIALECT)


def test_later_edits_follow_behind_the_cached_state() -> None:
    """Edits since are sent as updates behind it, so that the state need not be encoded again."""
    ada, state = host(), JoinState()
    first = state.frames(ada.state, DIALECT)
    updates = [ada.track("t_1"), ada.field("tracks", "t_1", "name", "Bass")]
    for update in updates:
        state.extend(update)
    written = state.frames(ada.state, DIALECT)
    assert written.startswith(first)
    late = open_doc()
    for _, payload in messages(written):
        late.apply_update(payload)
    assert canonical(late) == ada.json()


def test_a_long_tail_is_folded_into_the_state() -> None:
    """When the tail has grown to a fraction of the state, everything is encoded anew as one Step2."""
    ada, state = host(), JoinState()
    state.frames(ada.state, DIALECT)
    ada.track("t_1")
    for number in range(1_000):
        state.extend(ada.field("tracks", "t_1", "name", f"take {number}"))
    found = frames(state.frames(ada.state, DIALECT))
    assert sum(map(len, found)) < 2 * len(ada.doc.get_update(EMPTY_VECTOR)) + 16 * 1024
    late = open_doc()
    for _, payload in messages(state.frames(ada.state, DIALECT)):
        late.apply_update(payload)
    assert canonical(late) == ada.json()


def test_forgetting_encodes_anew() -> None:
    """After `forget` the next newcomer gets what the document holds now."""
    ada, state = host(), JoinState()
    state.frames(ada.state, DIALECT)
    ada.track("t_1")
    state.forget()
    ((_, whole),) = messages(state.frames(ada.state, DIALECT))
    late = open_doc()
    late.apply_update(whole)
    assert canonical(late) == ada.json()
