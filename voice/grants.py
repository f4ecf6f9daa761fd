"""What somebody may do in a voice room: nothing, unless the role or the project allows it."""

from dataclasses import dataclass

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
