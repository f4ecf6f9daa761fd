"""Somebody's document, and the edits that musicians make on it."""

from collections.abc import Callable
from typing import Any

from pycrdt import Map

from studio.binding import new_entity
from studio.blank import open_doc
from studio.canonical import canonical

Change = Callable[[dict[str, "Map[Any]"]], object]


class Author:
    """A document under one client id; every edit is one transaction and gives its update."""

    def __init__(self, client: int) -> None:
        self.doc = open_doc(client)
        self.made: list[bytes] = []
        self._observer = self.doc.observe(lambda event: self.made.append(event.update))

    def edit(self, change: Change) -> bytes:
        """One transaction on the roots by name; returns its update."""
        self.made.clear()
        with self.doc.transaction():
            change({root: self.doc.get(root, type=Map) for root in sorted(self.doc.keys())})
        (update,) = self.made
        return update

    def put(self, root: str, key: str, value: object) -> bytes:
        """Set a key of a root."""
        return self.edit(lambda roots: roots[root].update({key: value}))

    def field(self, root: str, entity: str, key: str, value: object) -> bytes:
        """Set a key of an entity."""
        return self.edit(lambda roots: roots[root][entity].update({key: value}))

    def track(self, id: str, **fields: object) -> bytes:
        """Add a track."""
        whole = {"kind": "audio", "name": "Track", "order": "a", "gain_db": 0, "pan": 0, "mute": False}
        whole |= {"output": "master", "deleted": None, **fields}
        return self.edit(lambda roots: roots["tracks"].update({id: new_entity(whole.items())}))

    def marker(self, id: str, tick: int, label: str) -> bytes:
        """Add a marker."""
        whole = {"tick": tick, "end": None, "label": label, "color": "#ffcc00", "kind": "cue"}
        whole |= {"by": "", "at": 0, "deleted": None}
        return self.edit(lambda roots: roots["markers"].update({id: new_entity(whole.items())}))

    def note(self, id: str, body: str, **fields: object) -> bytes:
        """Add a note at the beginning of the song."""
        whole: dict[str, object] = {"anchor": ["t", 0], "track": None, "author": "", "at": 0, "parent": None}
        whole |= {"resolved": None, "deleted": None, **fields}
        return self.edit(
            lambda roots: roots["notes"].update({id: new_entity({**whole, "body": body}.items(), texts=("body",))})
        )

    def state(self) -> bytes:
        """Its whole document, encoded."""
        return self.doc.get_update()

    def json(self) -> dict[str, Any]:
        """The document as this person sees it."""
        return canonical(self.doc)
