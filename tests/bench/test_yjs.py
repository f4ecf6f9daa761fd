"""The load client's hand-written updates are what Yjs clients would send: pycrdt reads all of them, in any dose."""

from typing import Any

import pytest
from pycrdt import Doc, Map

from bench.yjs import TOKEN, TYPING_PADDING, LabelWriter, Typist
from loadtest.lib0 import varuint

CLIENT = 0x2345_6789


def fresh() -> Doc[Any]:
    """A document with the roots that the writers use."""
    doc: Doc[Any] = Doc()
    doc["markers"], doc["notes"] = Map(), Map()
    return doc


def test_a_label_is_overwritten_and_only_the_last_one_stays() -> None:
    """After many edits the document has one marker whose label is the last token, and nothing is pending."""
    doc, writer = fresh(), LabelWriter(3, CLIENT)
    for _ in range(500):
        key, update = writer.next()
        doc.apply_update(update)
    (marker,) = doc.get("markers", type=Map).to_py().values()
    assert marker["tick"] == 1
    assert marker["label"] == f"~{key.decode()}~chorus"
    assert doc.get_state() == b"\x01" + varuint(CLIENT) + varuint(writer.clock)
    assert len(doc.get_update()) < 250  # the overwritten labels are deleted, as the delete sets say


def test_a_label_update_is_what_yrs_sends_for_the_same_edit() -> None:
    """An overwrite made through pycrdt has the same bytes as the hand-written one."""
    doc: Doc[Any] = Doc(client_id=CLIENT)
    doc["markers"] = Map()
    writer = LabelWriter(0, CLIENT)
    key, update = writer.next()
    doc.apply_update(update)
    key, update = writer.next()
    sent: list[bytes] = []
    subscription = doc.observe(lambda event: sent.append(event.update))
    (marker,) = doc.get("markers", type=Map).values()
    marker["label"] = f"~{key.decode()}~chorus"
    doc.unobserve(subscription)
    assert sent == [update]


@pytest.mark.parametrize("dose", [1, 20])
def test_a_typist_leaves_every_token_in_the_notes(dose: int) -> None:
    """Each edit's token stands once in the encoded state, and the notes keep the studio's limits."""
    doc, typist, edits = fresh(), Typist(1, CLIENT), 1000
    for _ in range(edits // dose):
        doc.apply_update(typist.next(dose))
    bodies = [note["body"] for note in doc.get("notes", type=Map).to_py().values()]
    assert sum(len(TOKEN.findall(body.encode())) for body in bodies) == edits
    assert sum(map(len, bodies)) == edits * (18 + len(TYPING_PADDING))
    assert max(map(len, bodies)) <= 4000
    assert sorted(set(TOKEN.findall(doc.get_update()))) == [b"%08x%08x" % (1, seq) for seq in range(edits)]


def test_the_state_of_a_typed_document_has_the_size_the_goals_speak_of() -> None:
    """10,000 edits of four typists are about 360 KB."""
    doc = fresh()
    typists = [Typist(index, CLIENT + index) for index in range(4)]
    for _ in range(125):
        for typist in typists:
            doc.apply_update(typist.next(20))
    assert 340_000 < len(doc.get_update()) < 420_000
