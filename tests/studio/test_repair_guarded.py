"""R5 and R17 of document design §2: what the server saw first is what stays."""

import pytest

from studio.canonical import canonical
from studio.repair import Firsts, Stamp, repair
from tests.studio.desk import Desk, desk, rules
from tests.studio.peers import PycrdtPeer, Room
from tests.studio.stage import clip, new, put, track

__all__ = ["desk"]


@pytest.mark.parametrize(
    ("root", "entity", "key", "value"),
    [("tracks", "t_1", "kind", "bus"), ("clips", "c_1", "take", "c_9"), ("clips", "c_1", "base", "time")],
)
def test_R5_immutable_fields_come_back(desk: Desk, root: str, entity: str, key: str, value: str) -> None:
    """Changed or removed, they are what they were at first."""
    first = desk.field(root, entity, key)
    assert rules(desk.write(("set", root, entity, key, value))) == ["R5"]
    assert rules(desk.write(("delete", root, entity, key))) == ["R5"]
    assert desk.field(root, entity, key) == first


def test_R5_an_invalid_first_value_is_not_what_comes_back(desk: Desk) -> None:
    """Created wrong, repaired, and settled (found by seed 21)."""
    desk.write(new("clips", "c_2", clip(take=[1, 2], base="moons")))
    assert (desk.field("clips", "c_2", "take"), desk.field("clips", "c_2", "base")) == ("c_2", "beats")
    assert rules(desk.write(*put("clips", "c_2", take="c_3"))) == ["R5"]


def test_R17_server_roots_are_the_servers(desk: Desk) -> None:
    """A forged name goes back, a forged asset goes away."""
    assert rules(desk.write(("set", "meta", "", "name", "Mine"))) == ["R17"]
    assert rules(desk.write(("delete", "meta", "", "schema"))) == ["R17"]
    assert rules(desk.write(("set", "assets", "", "a_1", {"name": "x"}))) == ["R17"]
    document = desk.room.json()
    assert (document["meta"]["name"], document["meta"]["schema"], document["assets"]) == ("Song", 1, {})


def test_R17_locks_are_the_servers(desk: Desk) -> None:
    """Neither an old nor a new track is locked by a client."""
    assert rules(desk.write(*put("tracks", "t_1", lock=["u", 5]))) == ["R17"]
    assert rules(desk.write(new("tracks", "t_n", track("x", lock=["u", 5])))) == ["R17"]
    assert desk.field("tracks", "t_n", "lock") is None


def test_R17_who_and_when_are_the_servers(desk: Desk) -> None:
    """Creation is stamped with the writer; nobody changes it afterwards."""
    forged = {"tick": 0, "label": "x", "by": "u_forged", "at": 1}
    assert rules(desk.write(new("markers", "m_1", forged), stamp=Stamp("u_real", 9))) == ["R17"] * 2
    assert rules(desk.write(*put("markers", "m_1", by="u_forged"), stamp=Stamp("u_2", 10))) == ["R17"]
    assert (desk.field("markers", "m_1", "by"), desk.field("markers", "m_1", "at")) == ("u_real", 9)


@pytest.mark.parametrize("fixed", ["master", "lost"])
def test_R17_master_and_lost_always_stand(desk: Desk, fixed: str) -> None:
    """Removed or deleted, they are back."""
    assert rules(desk.write(*put("tracks", fixed, deleted=["u", 1]))) == ["R17"]
    assert rules(desk.write(("delete", "tracks", fixed, ""))) == ["R17"]
    assert desk.field("tracks", fixed, "deleted") is None


def test_R17_the_journal_is_believed(desk: Desk) -> None:
    """What another node or the API wrote is accepted, and is then what clients cannot change."""
    other = PycrdtPeer(1)
    other.apply(desk.room.doc.get_update())
    update = other.edit(("set", "meta", "", "name", "Renamed"), *put("tracks", "t_1", lock=["u", 5]))
    desk.room.doc.apply_update(update)
    touched = list(desk.room.touched)
    desk.room.touched.clear()
    desk.room.firsts.accept(desk.room.doc, touched)
    assert repair(desk.room.doc, touched, desk.room.firsts) == []
    desk.client.apply(update)
    desk.write(("set", "meta", "", "name", "Mine"), *put("tracks", "t_1", lock=None))
    assert desk.field("meta", "", "name") == "Renamed"
    assert desk.field("tracks", "t_1", "lock") == ["u", 5]


def test_firsts_of_a_loaded_document_know_everything(desk: Desk) -> None:
    """After a restart the same changes are refused."""
    loaded = Room(desk.room.doc.get_update())
    assert repair(loaded.doc, None, Firsts.of(loaded.doc)) == []
    loaded.receive(client_of(loaded).edit(*put("clips", "c_1", take="c_9")))
    assert loaded.rules() == ["R5"]
    assert canonical(loaded.doc)["clips"]["c_1"]["take"] == "c_1"


def client_of(room: Room) -> PycrdtPeer:
    peer = PycrdtPeer(77)
    peer.apply(room.doc.get_update())
    return peer
