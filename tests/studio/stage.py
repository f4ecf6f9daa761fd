"""The stage of a concurrency scenario: two peers edit the same document apart, then meet through a server.

Each scenario plays in every delivery order, with duplicates, on fresh peers of the same client ids; it must end in
one and the same document everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from studio.view import View, view
from tests.studio.peers import Change, Peer, PycrdtPeer, Room, joiner
from tests.yjs_peer.peer import Yjs

BEAT = 960
BAR = 4 * BEAT


def track(order: str = "a", **fields: Any) -> dict[str, Any]:
    base = {"kind": "audio", "name": "Track", "order": order, "gain_db": 0, "pan": 0, "mute": False}
    return base | {"output": "master", "deleted": None} | fields


def clip(**fields: Any) -> dict[str, Any]:
    base = {"track": "t_1", "asset": "", "base": "beats", "pos": 0, "in": 0, "out": 16 * BEAT, "gain_db": 0}
    return base | {"take": "c_1", "deleted": None} | fields


def new(root: str, entity: str, fields: dict[str, Any]) -> Change:
    return ("set", root, entity, "", fields)


def put(root: str, entity: str, **fields: Any) -> list[Change]:
    """One `set` per field; a trailing underscore makes `in_` mean `in`."""
    return [("set", root, entity, key.rstrip("_"), value) for key, value in fields.items()]


def split(entity: str, at: int, **right: Any) -> list[Change]:
    """The gesture of document design §1.6 on a clip that `clip()` made."""
    half = clip(**{"take": entity, "in": at} | right)
    return [*put("clips", entity, out=at), new("clips", f"{entity}@{at}", half)]


SONG: tuple[Change, ...] = (
    new("tracks", "t_1", track("a", name="One")),
    new("tracks", "t_2", track("b", name="Two")),
    new("tracks", "t_3", track("c", name="Three")),
    new("clips", "c_1", clip()),
)


@dataclass
class Scene:
    """One played scenario: everybody has met and agrees."""

    room: Room
    a: Peer
    b: Peer

    def json(self) -> dict[str, Any]:
        return self.room.json()

    def view(self) -> View:
        return view(self.json())

    def meet(self) -> None:
        """Full exchange until quiet; then everybody must agree and nothing may be left to repair."""
        self.room.sync(self.a, self.b)
        self.room.sync(self.a, self.b)
        assert self.a.json() == self.b.json() == self.room.json() == joiner(self.room)
        assert self.room.settled()


class Stage:
    """Plays scenarios with A and B of given libraries and client ids."""

    def __init__(self, yjs: Yjs, libraries: str, ids: tuple[int, int]) -> None:
        self.yjs = yjs
        self.libraries = libraries
        self.ids = ids

    def scene(self, base: Sequence[Change] = SONG) -> Scene:
        """Two fresh peers who share `base`, made by somebody else: it is on nobody's undo stack."""
        a, b = (self._peer(kind, client) for kind, client in zip(self.libraries, self.ids, strict=True))
        room, maker = Room(), PycrdtPeer(5)
        room.sync(maker)
        room.receive(maker.edit(*base))
        scene = Scene(room, a, b)
        scene.meet()
        return scene

    def _peer(self, kind: str, client: int) -> Peer:
        return self.yjs.open(client) if kind == "y" else PycrdtPeer(client)

    def play(self, a: Sequence[Change], b: Sequence[Change], base: Sequence[Change] = SONG) -> Scene:
        """A and B edit at once; whatever the delivery, all end equal. Returns the last scene."""
        played = [self._one(a, b, base, deliver) for deliver in (a_first, b_first, together)]
        assert all(scene.json() == played[0].json() for scene in played)
        return played[-1]

    def _one(self, a: Sequence[Change], b: Sequence[Change], base: Sequence[Change], deliver: "Delivery") -> Scene:
        scene = self.scene(base)
        deliver(scene, scene.a.edit(*a), scene.b.edit(*b))
        scene.meet()
        return scene


Delivery = Callable[[Scene, bytes, bytes], None]


def a_first(scene: Scene, from_a: bytes, from_b: bytes) -> None:
    """A's edit reaches the server and B, then B's the server and A; each twice."""
    for update in (from_a, from_a):
        hand(scene, scene.room.receive(update), scene.a)
        hand(scene, update, scene.b)
    for update in (from_b, from_b):
        hand(scene, scene.room.receive(update), scene.b)
        hand(scene, update, scene.a)


def b_first(scene: Scene, from_a: bytes, from_b: bytes) -> None:
    """The other way round."""
    for update in (from_b, from_b):
        hand(scene, scene.room.receive(update), scene.a, scene.b)
    hand(scene, from_b, scene.a)
    for update in (from_a, from_a):
        hand(scene, scene.room.receive(update), scene.a, scene.b)
    hand(scene, from_a, scene.b)


def together(scene: Scene, from_a: bytes, from_b: bytes) -> None:
    """Both in one tick of the server, doubled; the peers hear of each other only by syncing."""
    scene.room.receive(from_b, from_a, from_b, from_a)


def hand(scene: Scene, update: bytes, *peers: Peer) -> None:
    for peer in peers:
        if update:
            peer.apply(update)
