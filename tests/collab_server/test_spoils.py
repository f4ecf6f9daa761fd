"""Tests of how often a document was spoiled."""

from uuid import uuid4

from collab_server.spoils import SPOILS_SECONDS, Spoils


def test_spoils_are_counted_by_project_and_forgotten_with_time() -> None:
    """Each project counts for itself, and an hour later it starts anew."""
    spoils, project, other = Spoils(started=5.0), uuid4(), uuid4()
    assert [spoils.note(project, at) for at in (10.0, 20.0, 30.0)] == [1, 2, 3]
    assert spoils.note(other, 30.0) == 1
    assert spoils.note(project, 25.0 + SPOILS_SECONDS) == 2


def test_something_may_have_been_lost_when_the_process_started() -> None:
    """The process before may have been killed; from a spoil on, that is the last time."""
    spoils, project = Spoils(started=5.0), uuid4()
    assert spoils.last(project) == 5.0
    spoils.note(project, 10.0)
    assert (spoils.last(project), spoils.last(uuid4())) == (10.0, 5.0)
