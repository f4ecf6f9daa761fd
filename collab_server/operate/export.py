"""`export`: the committed document, so that anyone can leave with everything that is theirs."""

import json
from typing import Any, Final
from uuid import UUID

from pycrdt import Doc

from collab_server.operate import say
from collab_server.operate.store import Store, opened
from studio.canonical import canonical

FORMS: Final = ("json", "update")
"""The canonical JSON (readable, for any program), or one Yjs update (for any Yjs document, with all its history)."""


async def export(store: Store, project_id: UUID, *, form: str, target: str) -> int:
    """Write the document to a file, or to standard output; a quarantined one too, as long as it can be read."""
    found = await store.kept(project_id)
    say.deliver(encoded(opened(found, found.until(found.head)), form), target)
    say.note(f"project {project_id} at row {found.head}, epoch {found.epoch}")
    return 0


def encoded(doc: "Doc[Any]", form: str) -> bytes:
    """The document as bytes of this form."""
    if form == "update":
        return doc.get_update()
    return (json.dumps(canonical(doc), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()
