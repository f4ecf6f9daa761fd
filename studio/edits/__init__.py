"""Edits the server makes on somebody's behalf: each one transaction, checked against the schema before it writes.

They raise NotFound and Invalid of studio.errors. Ids and times are arguments; what is returned is canonical JSON.
"""

from studio.edits.markers import add_marker, delete_marker, edit_marker
from studio.edits.notes import add_note, delete_note, edit_note, resolve_note
from studio.edits.project import become_fork, rename
from studio.edits.restore import restore, restore_track
from studio.edits.take_back import take_back
from studio.edits.trash import purge, undelete

__all__ = [
    "add_marker",
    "add_note",
    "become_fork",
    "delete_marker",
    "delete_note",
    "edit_marker",
    "edit_note",
    "purge",
    "rename",
    "resolve_note",
    "restore",
    "restore_track",
    "take_back",
    "undelete",
]
