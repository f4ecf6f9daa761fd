"""Three peers, two of them real Yjs, edit at random, badly and apart; all end equal and valid."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from studio.canonical import canonical
from studio.repair import repair
from studio.view import view
from tests.studio.peers import Change, Peer, PycrdtPeer, Room, joiner
from tests.studio.stage import BEAT, clip, new, put, track
from tests.yjs_peer.peer import Yjs, YjsPeer

SEEDS = 400
ROUNDS = 4
JUNK: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    -1e300,
    1e9,
    "loud",
    True,
    None,
    -0.5,
    [],
    [1, 2],
    {"a": 1},
    "x" * 300,
    "😀" * 60,
)
FIELDS = {
    "tracks": (
        "gain_db",
        "pan",
        "mute",
        "name",
        "color",
        "order",
        "kind",
        "output",
        "parent",
        "deleted",
        "lock",
        "new",
    ),
    "clips": ("pos", "in", "out", "track", "take", "base", "asset", "fade_in", "loop", "warp", "deleted", "name"),
    "markers": ("tick", "end", "label", "color", "kind", "by", "at", "deleted"),
    "notes": ("anchor", "track", "parent", "resolved", "author", "at", "body", "deleted"),
    "effects": ("track", "order", "on", "p.freq"),
    "sends": ("gain_db", "on"),
}
LEAVES: dict[str, Callable[[random.Random], Any]] = {
    "tempo": lambda r: [r.randrange(-2, 9) * BEAT, r.choice((90, 5, 600, "x")), r.choice((0, 1, 7))],
    "signatures": lambda r: [r.randrange(-1, 9) * BEAT, r.choice((3, 99)), r.choice((4, 3))],
    "points": lambda r: [r.randrange(-2, 9), r.choice((0.5, 2, -1, "x")), r.choice((0, 4, 9))],
    "events": lambda r: [r.randrange(-2, 9), r.choice((0, 240)), r.choice((60, 200)), r.random() * 2],
    "lanes": lambda r: {"on": r.choice((True, 1)), "min": 0, "max": r.choice((1, "x")), "def": 0},
    "slots": lambda r: {"clip": r.choice((None, "c_1", 5)), "color": r.choice((None, "red"))},
    "assets": lambda r: {"name": str(r.random())},
    "meta": lambda r: r.choice(("forged", 5)),
    "arrangement": lambda r: {"order": r.choice(("a", "?")), "bars": r.choice((4, -4))},
}


class Musician:
    """Somebody who edits without looking: seeded, valid and invalid gestures mixed.

    Only Yjs peers undo: pycrdt 0.14's undo of an overwritten entity can delete what others write into it afterwards
    (the document then differs from what its own updates say). Studio clients are Yjs; the server never undoes.
    """

    def __init__(self, peer: Peer, name: str, rnd: random.Random) -> None:
        self.peer = peer
        self.name = name
        self.rnd = rnd
        self.made = 0
        self.document: dict[str, Any] = {}

    def play(self) -> None:
        self.document = self.peer.json()
        gestures: list[Callable[[], list[Change]]] = [self.create, self.place, self.trim, self.split, self.route]
        gestures += [
            self.delete,
            self.junk_field,
            self.junk_leaf,
            self.hard,
            self.type,
            self.hang,
            self.transport,
            self.newer,
        ]
        roll = self.rnd.random()
        if roll < 0.1 and isinstance(self.peer, YjsPeer):
            self.rnd.choice((self.peer.undo, self.peer.undo, self.peer.redo))()
        else:
            self.peer.edit(*self.rnd.choice(gestures)())

    def some(self, root: str) -> str:
        entities = [key for key, value in self.document[root].items() if isinstance(value, dict)]
        return str(self.rnd.choice(sorted(entities) or ["none"]))

    def name_new(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}_{self.name}{self.made}"

    def create(self) -> list[Change]:
        rnd = self.rnd
        entity = self.name_new("c")
        fields = clip(take=entity, track=self.some("tracks"), pos=rnd.randrange(-4, 20) * BEAT)
        made = {"name": entity, "kind": rnd.choice(("audio", "bus", "master"))}
        send = f"{self.some('tracks')}>{self.some('tracks')}"
        note = {"anchor": ["c", self.some("clips"), rnd.randrange(5000)], "parent": self.some("notes"), "author": "x"}
        return rnd.choice(
            (
                [new("tracks", self.name_new("t"), track(rnd.choice("abcdef"), **made))],
                [new("clips", entity, fields)],
                [new("clips", entity, fields)],
                [new("markers", self.name_new("m"), {"tick": rnd.randrange(5000), "end": rnd.choice((None, 2000))})],
                [new("notes", entity, note), ("text", "notes", entity, "body", "héllo😀" * rnd.choice((1, 900)))],
                [new("sends", send, {"gain_db": -6, "on": True})],
                [new("effects", self.name_new("e"), {"track": self.some("tracks"), "on": True, "p.freq": 440})],
            )
        )

    def place(self) -> list[Change]:
        where = {"pos": self.rnd.randrange(-8, 20) * BEAT, "track": self.some("tracks")}
        return put("clips", self.some("clips"), **where)

    def trim(self) -> list[Change]:
        return put("clips", self.some("clips"), **{self.rnd.choice(("in", "out")): self.rnd.randrange(-4, 16) * BEAT})

    def split(self) -> list[Change]:
        """Splits into a derived id, as two people may at the same place."""
        entity = self.some("clips")
        held = self.document["clips"].get(entity)
        if not isinstance(held, dict) or not isinstance(held.get("take"), str):
            return []
        at = self.rnd.choice((2, 4, 8)) * BEAT
        half = {key: held.get(key) for key in ("track", "asset", "take", "base", "pos", "out")}
        return [*put("clips", entity, out=at), new("clips", f"{held['take'][:20]}@{at}", half | {"in": at})]

    def route(self) -> list[Change]:
        key = self.rnd.choice(("output", "parent"))
        return put("tracks", self.some("tracks"), **{key: self.rnd.choice((self.some("tracks"), "master", None))})

    def delete(self) -> list[Change]:
        root = self.rnd.choice(("tracks", "clips", "notes", "markers"))
        return put(root, self.some(root), deleted=self.rnd.choice((["u", 5], None)))

    def junk_field(self) -> list[Change]:
        root = self.rnd.choice(sorted(FIELDS))
        entity, key = self.some(root), self.rnd.choice(FIELDS[root])
        if self.rnd.random() < 0.1:
            return [self.rnd.choice((("nested", root, entity, key), ("delete", root, entity, key)))]
        return [("set", root, entity, key, self.rnd.choice(JUNK))]

    def newer(self) -> list[Change]:
        """A client of a later version, with fields of its own."""
        root = self.rnd.choice(sorted(FIELDS))
        keys = self.rnd.sample(range(40), 9)
        return put(root, self.some(root), **{f"new{key}": self.rnd.choice((key, JUNK[-2])) for key in keys})

    def junk_leaf(self) -> list[Change]:
        root = self.rnd.choice(sorted(LEAVES))
        key = self.rnd.choice(("name", "schema", "bus.gain/1", "2"))
        if self.rnd.random() < 0.2:
            return [self.rnd.choice((("nested", root, "", key), ("set", root, "", key, "junk")))]
        return [("set", root, "", key, LEAVES[root](self.rnd))]

    def hard(self) -> list[Change]:
        """What only a foreign client does."""
        root = self.rnd.choice(sorted(FIELDS))
        entity = self.some(root)
        return [self.rnd.choice((("delete", root, entity, ""), ("set", root, "", f"junk{self.name}", "not a map")))]

    def type(self) -> list[Change]:
        entity = self.some("notes")
        body = self.document["notes"].get(entity, {}).get("body") if entity in self.document["notes"] else None
        if not isinstance(body, str) or not body:
            return []
        return [("insert", "notes", entity, "body", len(body.encode("utf-16-le")) // 2, self.rnd.choice("aé😀"))]

    def hang(self) -> list[Change]:
        anchor = self.rnd.choice((["c", self.some("clips"), 50], ["t", -5], ["t", 960, 5]))
        return put("notes", self.some("notes"), anchor=anchor, parent=self.some("notes"))

    def transport(self) -> list[Change]:
        key = self.rnd.choice(("bpm", "signature", "loop", "key", "count_in", "swing"))
        return [("set", "transport", "", key, self.rnd.choice((*JUNK, 128, [3, 4], [1, 0, 960], [0, "major"])))]


def session(yjs: Yjs, seed: int) -> Room:
    """One seeded jam; asserts that it ends well."""
    rnd = random.Random(seed)
    room = Room()
    ids = rnd.sample(range(2, 1000), 3)
    peers: list[Peer] = [yjs.open(ids[0]), yjs.open(ids[1]), PycrdtPeer(ids[2])]
    room.sync(*peers)
    musicians = [Musician(peer, name, rnd) for peer, name in zip(peers, "abc", strict=True)]
    for _ in range(ROUNDS):
        for musician in musicians:
            for _ in range(rnd.randrange(5)):
                musician.play()
        for peer in rnd.sample(peers, 3):
            if rnd.random() < 0.7:
                update = peer.update(room.doc.get_state())
                room.receive(*([update] * rnd.choice((1, 1, 2))))
            if rnd.random() < 0.6:
                peer.apply(room.doc.get_update(peer.state()))
        assert repair(room.doc, None, room.firsts) == [], "watching missed what a full look finds"
    for _ in range(3):
        room.sync(*peers)
    agree(room, peers)
    room.close()
    return room


def agree(room: Room, peers: list[Peer]) -> None:
    """Everybody sees the same, key by key, and it is valid JSON that a view can be made of."""
    expected = json.dumps(room.json(), sort_keys=True, allow_nan=False)
    assert json.dumps(joiner(room), sort_keys=True) == expected
    for peer in peers:
        assert plain(peer.json()) == json.loads(expected)
    assert room.settled()
    assert view(canonical(room.doc)).as_json() == view(json.loads(expected)).as_json()


def plain(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_jam_ends_in_one_valid_document(yjs: Yjs, seed: int) -> None:
    """Whatever three people do, wherever they sync, the end is equal for all and a second repair finds nothing."""
    session(yjs, seed)
