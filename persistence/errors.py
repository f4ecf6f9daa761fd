"""What can go wrong on this floor.

PersistenceError
├── NotFound          no such project, or it is deleted
├── Quarantined       an operator has to look at this document first
├── CorruptState      what is stored cannot be the document; nothing was changed
├── TailGone          the rows after a position were compacted: load the document instead
├── MomentGone        what leads to a moment of the document is no longer kept, or it never was
├── NameTaken         no free variant of a snapshot name was left
├── MigrationEdited   an applied migration file differs from what was applied
├── MigrationOrder    the folder and the record of applied files do not fit together
└── MigrationBusy     somebody else has been migrating for too long

`TRANSIENT` are the driver's errors after which the same call may succeed: lost connection, restart, timeout.
"""

from uuid import UUID

import asyncpg

TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InternalClientError,  # on a connection that was told to end
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not a primary yet
)


class PersistenceError(Exception):
    """Base of this floor's errors."""


class NotFound(PersistenceError):
    """There is no such project, or it is deleted."""

    def __init__(self, project_id: UUID) -> None:
        self.project_id = project_id
        super().__init__(project_id)

    def __str__(self) -> str:
        return f"no project {self.project_id}"


class Quarantined(PersistenceError):
    """The document is set aside; `reason` is for an operator."""

    def __init__(self, project_id: UUID, reason: str) -> None:
        self.project_id = project_id
        self.reason = reason
        super().__init__(project_id, reason)

    def __str__(self) -> str:
        return f"project {self.project_id} is quarantined: {self.reason}"


class CorruptState(PersistenceError):
    """The stored rows cannot be this document; they stay untouched."""

    def __init__(self, project_id: UUID, reason: str) -> None:
        self.project_id = project_id
        self.reason = reason
        super().__init__(project_id, reason)

    def __str__(self) -> str:
        return f"stored document of project {self.project_id} is corrupt: {self.reason}"


class TailGone(PersistenceError):
    """The journal's rows right after `after` have been compacted; `oldest` is the first that still stands."""

    def __init__(self, project_id: UUID, after: int, oldest: int | None) -> None:
        self.project_id = project_id
        self.after = after
        self.oldest = oldest
        super().__init__(project_id, after, oldest)

    def __str__(self) -> str:
        return f"journal of project {self.project_id} no longer has the row after {self.after}"


class MomentGone(PersistenceError):
    """The document after row `seq` cannot be rebuilt; `since` is the first row whose moment can, if there is one."""

    def __init__(self, project_id: UUID, seq: int, since: int | None) -> None:
        self.project_id = project_id
        self.seq = seq
        self.since = since
        super().__init__(project_id, seq, since)

    def __str__(self) -> str:
        return f"nothing leads to row {self.seq} of project {self.project_id} any more"


class NameTaken(PersistenceError):
    """Every variant of this snapshot name that was tried exists already."""

    def __init__(self, project_id: UUID, name: str) -> None:
        self.project_id = project_id
        self.name = name
        super().__init__(project_id, name)

    def __str__(self) -> str:
        return f"too many snapshots named {self.name!r}"


class MigrationEdited(PersistenceError):
    """An applied migration file is no longer what was applied."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"migration {self.name} was edited after it had been applied"


class MigrationOrder(PersistenceError):
    """A file is missing, misnamed, or would run before one that is already applied."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(name, reason)

    def __str__(self) -> str:
        return f"migration {self.name} {self.reason}"


class MigrationBusy(PersistenceError):
    """Another process held the migration lock for the whole time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(seconds)

    def __str__(self) -> str:
        return f"another process has been migrating this database for {self.seconds:g} s"
