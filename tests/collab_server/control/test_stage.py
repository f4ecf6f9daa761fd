"""What a node knows of a project: the newest answer of the database, whichever comes last."""

from uuid import UUID, uuid4

from collab_server.control.stage import Stage
from persistence.options import Cast
from studio.roles import Options, Role

ADA = UUID(int=7)
OPEN = Cast({ADA: Role.COMMENTER}, Options(commenters_transport=True))
SHUT = Cast({ADA: Role.COMMENTER}, Options())


def test_an_answer_that_was_overtaken_changes_nothing() -> None:
    """Whoever asked later has heard of more: what was switched off stays off."""
    stage = Stage(uuid4())
    assert not stage.ready
    early, late = stage.question(), stage.question()
    assert stage.told(late, SHUT)
    assert not stage.told(early, OPEN)
    assert (stage.options, stage.ready) == (Options(), True)
    assert stage.told(stage.question(), OPEN)
    assert (stage.roles, stage.options) == OPEN


def test_a_question_without_an_answer_is_seen() -> None:
    """The database was away: until the newest question is answered, somebody has to ask again."""
    stage = Stage(uuid4())
    stage.told(stage.question(), OPEN)
    stage.question()
    assert stage.answered < stage.asked
    stage.told(stage.question(), SHUT)
    assert stage.answered == stage.asked
