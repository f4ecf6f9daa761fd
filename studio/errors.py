"""What can go wrong when the server edits a document.

StudioError
├── NotFound     there is no such entity, or it is deleted
├── Invalid      a field's value is not allowed
└── Locked       somebody else holds the track
"""


class StudioError(Exception):
    """Base of every error of the studio package."""


class NotFound(StudioError):
    """There is no living entity of this id."""

    def __init__(self, root: str, entity: str) -> None:
        self.root = root
        self.entity = entity
        super().__init__(root, entity)

    def __str__(self) -> str:
        return f"no {self.root} entry {self.entity!r}"


class Invalid(StudioError):
    """A value the schema does not allow; `field` is the key, `reason` is for a person."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(field, reason)

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class Locked(StudioError):
    """Somebody else holds the lock of `track`: `user`, until `until` (ms since 1970)."""

    def __init__(self, track: str, user: str, until: int) -> None:
        self.track = track
        self.user = user
        self.until = until
        super().__init__(track, user, until)

    def __str__(self) -> str:
        return f"{self.track} is locked by {self.user} until {self.until}"
