"""The table of transport-and-roles §5, row by row."""

import pytest

from studio.roles import Action, Options, Role, may

TABLE = {
    Action.READ: "oecv",
    Action.WRITE: "oe",
    Action.NOTE_ADD: "oec",
    Action.NOTE_CHANGE_OWN: "oec",
    Action.NOTE_CHANGE_OTHERS: "oe",
    Action.MARKERS: "oe",
    Action.TRANSPORT: "oe",
    Action.RENAME: "oe",
    Action.SNAPSHOT: "oe",
    Action.RESTORE: "oe",
    Action.AI_JOB: "oe",
    Action.EXPORT: "oe",
    Action.LOCK_OWN: "oe",
    Action.LOCK_BREAK: "o",
    Action.MANAGE: "o",
    Action.RIGHTS: "o",
    Action.SPEAK: "oec",
    Action.LISTEN: "oecv",
    Action.FORK: "oecv",
}


@pytest.mark.parametrize("action", Action)
def test_the_table(action: Action) -> None:
    """Who may, with a project's ordinary options."""
    assert "".join(role[0] for role in Role if may(role, action)) == TABLE[action]


def test_a_project_may_decide_differently() -> None:
    """Options open and close four doors, and no other."""
    strict = Options(editors_restore=False, viewers_listen=False)
    open_ = Options(commenters_transport=True, readers_export=True)
    assert not may(Role.EDITOR, Action.RESTORE, strict)
    assert not may(Role.VIEWER, Action.LISTEN, strict)
    assert may(Role.OWNER, Action.RESTORE, strict)
    assert may(Role.COMMENTER, Action.TRANSPORT, open_)
    assert may(Role.VIEWER, Action.EXPORT, open_)
    assert not may(Role.VIEWER, Action.TRANSPORT, open_)
