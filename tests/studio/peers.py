"""A pycrdt peer that speaks like the Yjs peer, and a room: a server that applies, watches and repairs."""

from collections.abc import Sequence
from typing import Any, Protocol

from pycrdt import Map, Text, UndoManager

from studio.binding import new_entity, wire
from studio.blank import blank, open_doc
from studio.canonical import canonical
from studio.repair import Firsts, Repair, Stamp, repair, repair_update
from studio.schema import ROOTS
from studio.watch import Touched, watch

Change = Sequence[Any]
SEED = blank("p", "Song", "u", 0, 1)


class Peer(Protocol):
    """A document somebody edits."""

    client_id: int

    def apply(self, update: bytes) -> None: ...

    def edit(self, *changes: Change) -> bytes: ...

    def undo(self) -> bytes: ...

    def redo(self) -> bytes: ...

    def state(self) -> bytes: ...

    def update(self, since: bytes | None = None) -> bytes: ...

    def json(self) -> dict[str, Any]: ...


class PycrdtPeer:
    """The same edits on pycrdt. Text indices are UTF-16 units, as everywhere in JavaScript."""

    def __init__(self, client_id: int) -> None:
        self.client_id = client_id
        self.doc = open_doc(client_id)
        self._undo = UndoManager(scopes=[self.doc.get(root, type=Map) for root in ROOTS], capture_timeout_millis=0)
        self._undo.include_origin("user")

    def apply(self, update: bytes) -> None:
        self.doc.apply_update(update)

    def edit(self, *changes: Change) -> bytes:
        return self._observed(lambda: self._transact(changes))

    def undo(self) -> bytes:
        return self._observed(self._undo.undo)

    def redo(self) -> bytes:
        return self._observed(self._undo.redo)

    def state(self) -> bytes:
        return self.doc.get_state()

    def update(self, since: bytes | None = None) -> bytes:
        return self.doc.get_update(since)

    def json(self) -> dict[str, Any]:
        return canonical(self.doc)

    def _observed(self, act: Any) -> bytes:
        made: list[bytes] = []
        subscription = self.doc.observe(lambda event: made.append(event.update))
        act()
        self.doc.unobserve(subscription)
        assert len(made) <= 1
        return made[0] if made else b""

    def _transact(self, changes: Sequence[Change]) -> None:
        with self.doc.transaction(origin="user"):
            for change in changes:
                self._change(*change)

    def _change(self, verb: str, root: str, entity: str, key: str, *rest: Any) -> None:
        held = self.doc.get(root, type=Map)
        target = held if "" in (entity, key) else held.get(entity)
        place = key or entity
        if not isinstance(target, Map):
            return
        match verb:
            case "set":
                target[place] = wire(rest[0]) if key else new_entity(rest[0].items())
            case "text":
                target[place] = Text(rest[0])
            case "nested":
                target[place] = Map()
            case "delete":
                if place in target:
                    del target[place]
            case "insert":
                text = target[place]
                text.insert(_bytes(str(text), rest[0]), rest[1])
            case "remove":
                text = target[place]
                start, end = (_bytes(str(text), at) for at in (rest[0], rest[0] + rest[1]))
                del text[start:end]


def _bytes(text: str, units: int) -> int:
    """UTF-8 bytes before a UTF-16 index."""
    return len(text.encode("utf-16-le")[: units * 2].decode("utf-16-le").encode())


class Room:
    """What the collab server does with a document, without the network."""

    def __init__(self, seed: bytes = SEED, client_id: int = 1) -> None:
        self.doc = open_doc(client_id)
        self.doc.apply_update(seed)
        self.firsts = Firsts.of(self.doc)
        self.touched: list[Touched] = []
        self.repairs: list[Repair] = []
        self.watch = watch(self.doc, self.touched.append)

    def receive(self, *updates: bytes, stamp: Stamp | None = None) -> bytes:
        """Clients' updates of one tick; returns the repair's update, b"" for none."""
        with self.doc.transaction():
            for update in updates:
                if update:
                    self.doc.apply_update(update)
        touched, self.touched[:] = list(self.touched), []
        made, update = repair_update(self.doc, touched, self.firsts, stamp)
        self.touched.clear()
        self.repairs += made
        return update

    def hear(self, *updates: bytes) -> bytes:
        """What comes from the journal: another node's edits and repairs. Believed, then looked at all the same."""
        with self.doc.transaction():
            for update in updates:
                self.doc.apply_update(update)
        touched, self.touched[:] = list(self.touched), []
        self.firsts.accept(self.doc, touched)
        _, update = repair_update(self.doc, touched, self.firsts)
        self.touched.clear()
        return update

    def sync(self, *peers: Peer) -> None:
        """Both ways with each peer, until everybody has everything."""
        for _ in range(2):
            for peer in peers:
                self.receive(peer.update(self.doc.get_state()))
                peer.apply(self.doc.get_update(peer.state()))

    def json(self) -> dict[str, Any]:
        return canonical(self.doc)

    def settled(self) -> bool:
        """Nothing is left to repair, whatever one looks at."""
        return repair(self.doc, None, self.firsts) == []

    def rules(self) -> list[str]:
        """The rules that were needed so far."""
        return [made.rule for made in self.repairs]

    def close(self) -> None:
        self.watch.close()


def joiner(room: Room) -> dict[str, Any]:
    """What somebody sees who comes late."""
    late = open_doc()
    late.apply_update(room.doc.get_update())
    assert repair(late, None, Firsts.of(late)) == []
    return canonical(late)
