"""Who may listen and speak, and what becomes of an old token's holder."""

import pytest

from studio.roles import Role
from voice.grants import Grants, Verdict, grants, verdict

BOTH, LISTEN, NOTHING = Grants(listen=True, speak=True), Grants(listen=True), Grants()


@pytest.mark.parametrize(
    ("role", "viewers_listen", "allowed"),
    [
        (Role.OWNER, False, BOTH),
        (Role.EDITOR, False, BOTH),
        (Role.COMMENTER, False, BOTH),
        (Role.VIEWER, True, LISTEN),
        (Role.VIEWER, False, NOTHING),
        (None, True, NOTHING),
    ],
)
def test_the_role_decides(role: Role | None, viewers_listen: bool, allowed: Grants) -> None:
    """As the table of roles says: viewers listen if the project lets them, strangers never."""
    assert grants(role, viewers_listen, muted=False) == allowed


@pytest.mark.parametrize("role", [Role.OWNER, Role.EDITOR, Role.COMMENTER, Role.VIEWER])
def test_who_is_muted_listens(role: Role) -> None:
    """Muting takes the voice and nothing else."""
    assert grants(role, True, muted=True) == LISTEN


@pytest.mark.parametrize(
    ("brought", "role", "muted", "removed", "becomes"),
    [
        (Role.EDITOR, Role.EDITOR, False, False, Verdict.STAY),
        (Role.EDITOR, Role.VIEWER, False, False, Verdict.REMOVE),
        (Role.VIEWER, Role.EDITOR, False, False, Verdict.REMOVE),
        (Role.EDITOR, None, False, False, Verdict.REMOVE),
        (None, None, False, False, Verdict.REMOVE),
        (Role.EDITOR, Role.EDITOR, False, True, Verdict.REMOVE),
        (Role.EDITOR, Role.EDITOR, True, False, Verdict.GRANTS),
        (None, Role.EDITOR, False, False, Verdict.STAY),
        (None, Role.VIEWER, False, False, Verdict.GRANTS),
    ],
)
def test_what_becomes_of_who_comes_in(
    brought: Role | None, role: Role | None, muted: bool, removed: bool, becomes: Verdict
) -> None:
    """A token of another role, of nobody, or of somebody removed does not hold; an unknown one gets what is right."""
    assert verdict(brought, role, grants(role, True, muted), muted, removed) is becomes
