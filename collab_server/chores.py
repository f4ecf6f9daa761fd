"""What an open document needs every now and then: its journal compacted, a snapshot, its projections brought up."""

from collab_server.settings import CollabSettings


class Chores:
    """What of that is due."""

    __slots__ = ("bytes", "edited_at", "projection_due", "rows", "unkept")

    def __init__(self, rows: int, bytes: int, *, projection_due: bool) -> None:
        self.rows = rows
        """In the journal, since it was compacted."""
        self.bytes = bytes
        """Of them those that this process has written, and those that were there when the room was opened."""
        self.unkept = False
        """It was edited, and no snapshot holds that."""
        self.edited_at = 0.0
        """When the first such edit came, or the last snapshot was tried."""
        self.projection_due = projection_due

    @property
    def all_due(self) -> bool:
        """Whether another edit makes no difference."""
        return self.unkept and self.projection_due

    def edited(self, now: float) -> None:
        """The document is another than snapshots and projections say."""
        if not self.unkept:
            self.unkept = True
            self.edited_at = now
        self.projection_due = True

    def compaction_due(self, settings: CollabSettings) -> bool:
        """Whether the journal has grown enough to be compacted while people edit."""
        return self.rows >= settings.compact_after_rows or self.bytes >= settings.compact_after_bytes

    def compacted(self) -> None:
        """A state covers all rows, or is about to."""
        self.rows = self.bytes = 0

    def snapshot_due(self, settings: CollabSettings, now: float) -> bool:
        """Whether a snapshot is to be tried; if so, the next try is an interval away."""
        due = now - self.edited_at > settings.snapshot_interval_seconds
        if due:
            self.edited_at = now
        return due
