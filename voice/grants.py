"""What somebody may do in a voice room: nothing, unless the role or the project allows it."""

from dataclasses import dataclass
from enum import Enum

from studio.roles import Action, Options, Role, may


@dataclass(frozen=True, slots=True)
class Grants:
    """Closed by default."""

    listen: bool = False
    speak: bool = False

    @property
    def any(self) -> bool:
        return self.listen or self.speak


def grants(role: Role | None, viewers_listen: bool, muted: bool) -> Grants:
    """Of a member with this role; None is no member. Whom the owner muted may listen alone."""
    if role is None:
        return Grants()
    options = Options(viewers_listen=viewers_listen)
    listen = may(role, Action.LISTEN, options)
    return Grants(listen, listen and not muted and may(role, Action.SPEAK, options))


class Verdict(Enum):
    """What becomes of somebody who has come in."""

    STAY = "stay"
    GRANTS = "grants"
    """They stay with what they may do now: what their token allowed is more, or is not known."""
    REMOVE = "remove"


def verdict(brought: Role | None, role: Role | None, allowed: Grants, muted: bool, removed: bool) -> Verdict:
    """Of somebody whose token was made for `brought` (None: unknown) and who is a member as `role` now."""
    if removed or not allowed.any or (brought is not None and brought is not role):
        return Verdict.REMOVE
    if muted or (brought is None and not allowed.speak):
        return Verdict.GRANTS
    return Verdict.STAY
