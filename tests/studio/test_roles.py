"""The table of transport-and-roles §5, row by row."""

from dataclasses import fields, replace

import pytest

from studio.roles import Action, Options, Role, may, option_for

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

OPTIONS = [field.name for field in fields(Options)]
ALLOWING = Options(**dict.fromkeys(OPTIONS, True))


def without(name: str) -> Options:
    """Everything is open but one."""
    return replace(ALLOWING, **{name: False})


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


def test_an_option_is_named_where_it_decides_and_nowhere_else() -> None:
    """For each role and action: turning the named option turns the answer, and without one no option does."""
    for role in Role:
        for action in Action:
            turned = [name for name in OPTIONS if may(role, action, ALLOWING) != may(role, action, without(name))]
            named = option_for(role, action)
            assert turned == ([] if named is None else [named]), (role, action)
    assert {option_for(role, action) for role in Role for action in Action} - {None} == set(OPTIONS)
