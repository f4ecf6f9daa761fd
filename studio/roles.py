"""Who may do what in a project (transport and roles design §5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal


class Role(StrEnum):
    """A member's role. `credited` is a separate flag on the membership."""

    OWNER = "owner"
    EDITOR = "editor"
    COMMENTER = "commenter"
    VIEWER = "viewer"


class Action(StrEnum):
    """Everything a role decides about."""

    READ = "read"
    WRITE = "write"
    NOTE_ADD = "note_add"
    NOTE_CHANGE_OWN = "note_change_own"
    NOTE_CHANGE_OTHERS = "note_change_others"
    MARKERS = "markers"
    TRANSPORT = "transport"
    RENAME = "rename"
    SNAPSHOT = "snapshot"
    RESTORE = "restore"
    AI_JOB = "ai_job"
    EXPORT = "export"
    LOCK_OWN = "lock_own"
    LOCK_BREAK = "lock_break"
    MANAGE = "manage"
    RIGHTS = "rights"
    SPEAK = "speak"
    LISTEN = "listen"
    FORK = "fork"


OptionName = Literal["editors_restore", "commenters_transport", "readers_export", "viewers_listen"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a project may decide for itself; a name is its column too."""

    editors_restore: bool = True
    commenters_transport: bool = False
    readers_export: bool = False
    viewers_listen: bool = True


_VIEWER: Final = frozenset({Action.READ, Action.FORK})
_COMMENTER: Final = _VIEWER | {Action.NOTE_ADD, Action.NOTE_CHANGE_OWN, Action.SPEAK, Action.LISTEN}
_EDITOR: Final = _COMMENTER | {
    Action.WRITE,
    Action.NOTE_CHANGE_OTHERS,
    Action.MARKERS,
    Action.TRANSPORT,
    Action.RENAME,
    Action.SNAPSHOT,
    Action.AI_JOB,
    Action.EXPORT,
    Action.LOCK_OWN,
}
_ALWAYS: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.COMMENTER: _COMMENTER,
        Role.EDITOR: _EDITOR,
        Role.OWNER: frozenset(Action),
    }
)


def may(role: Role, action: Action, options: Options = Options()) -> bool:
    """True if a member of this role may do this in a project with these options."""
    if action in _ALWAYS[role]:
        return True
    match option_for(role, action):
        case "editors_restore":
            return options.editors_restore
        case "commenters_transport":
            return options.commenters_transport
        case "readers_export":
            return options.readers_export
        case "viewers_listen":
            return options.viewers_listen
        case None:
            return False


def option_for(role: Role, action: Action) -> OptionName | None:
    """The option that decides whether a member of this role may do this; None if no option does."""
    match action, role:
        case Action.RESTORE, Role.EDITOR:
            return "editors_restore"
        case Action.TRANSPORT, Role.COMMENTER:
            return "commenters_transport"
        case Action.EXPORT, Role.COMMENTER | Role.VIEWER:
            return "readers_export"
        case Action.LISTEN, Role.VIEWER:
            return "viewers_listen"
    return None
