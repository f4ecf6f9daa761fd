"""What a musician does to a document, and now and then a broken client."""

import random

from pycrdt import Map, Text

from tests.collab_server.author import Author

WORDS = ("a", "é", "😀", "la la", "\n")


def tracks_of(author: Author) -> list[str]:
    """The ids of the tracks that people made."""
    return sorted(id for id in author.doc.get("tracks", type=Map).keys() if id.startswith("t_"))  # noqa: SIM118


def change(author: Author, rng: random.Random) -> bytes:
    """Something a musician does; now and then what a broken client would."""
    tracks = tracks_of(author)
    pick = rng.randrange(10)
    if not tracks or pick == 0:
        return author.track(f"t_{rng.randrange(6)}", name=rng.choice(WORDS), order=rng.choice("abc"))
    if pick < 5:
        return author.field("tracks", rng.choice(tracks), "gain_db", rng.choice((-1, -2.5, 0, 3, 1e9, "loud")))
    if pick == 5:
        return author.marker(f"m_{rng.randrange(5)}", rng.randrange(4_000), rng.choice(WORDS))
    if pick == 6:
        return author.put("transport", "bpm", rng.choice((90, 120, 97.5, float("nan"))))
    if pick == 7:
        return author.note(f"n_{rng.randrange(3)}", rng.choice(WORDS))
    return _type(author, rng)


def _type(author: Author, rng: random.Random) -> bytes:
    """Type into a note, or take a letter away."""
    notes = author.doc.get("notes", type=Map)
    living = [notes[id] for id in sorted(notes.keys())]
    texts = [note["body"] for note in living if isinstance(note, Map) and isinstance(note.get("body"), Text)]
    if not texts:
        return author.note("n_0", "first")
    text = rng.choice(texts)
    word = rng.choice(WORDS)

    def type_or_delete(_: object) -> None:
        if rng.random() < 0.7 or not str(text):
            text.insert(0, word)
        else:
            del text[0 : len(str(text)[0].encode())]

    return author.edit(type_or_delete)
