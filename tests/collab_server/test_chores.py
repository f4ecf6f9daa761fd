"""Tests of what an open document needs every now and then."""

from collab_server.chores import Chores
from collab_server.settings import CollabSettings

SETTINGS = CollabSettings(compact_after_rows=10, compact_after_bytes=1000, snapshot_interval_seconds=600.0)


def test_a_journal_is_compacted_for_its_rows_or_its_bytes() -> None:
    """Whichever is too many first; then both begin anew."""
    for rows, size, due in ((9, 999, False), (10, 0, True), (0, 1000, True)):
        chores = Chores(rows, size, projection_due=False)
        assert chores.compaction_due(SETTINGS) is due
        chores.compacted()
        assert not chores.compaction_due(SETTINGS)


def test_an_edit_makes_everything_due_until_each_is_done() -> None:
    """A projection alone does not keep the edit, and a snapshot alone does not show it."""
    chores = Chores(0, 0, projection_due=True)
    due = [chores.all_due]
    chores.edited(100.0)
    due.append(chores.all_due)
    chores.projection_due = False
    due.append(chores.all_due)
    chores.edited(200.0)
    assert [*due, chores.all_due] == [False, True, False, True]
    assert chores.edited_at == 100.0


def test_a_snapshot_is_tried_once_in_an_interval() -> None:
    """Counted from the first edit that none holds, and from each try: one that failed is tried again as late."""
    chores = Chores(0, 0, projection_due=False)
    chores.edited(100.0)
    assert [now for now in range(100, 2000, 50) if chores.snapshot_due(SETTINGS, float(now))] == [750, 1400]
