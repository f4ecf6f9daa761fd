"""The file that somebody takes away."""

from email.message import Message
from typing import Any
from urllib.parse import unquote

import pytest
from pycrdt import Doc

from api.studio.export import STEM_BYTES_MAX, disposition
from persistence.pool import open_pool
from studio.blank import open_doc
from studio.canonical import canonical
from tests.api.people import Meet, code, nowhere
from tests.api.studio.test_document import QUARANTINE

NAMES = [
    "Night drive",
    "Nächte",
    "夜",
    "../../etc/passwd",
    'a"; filename="b',
    "50%25",
    "..",
    "C:\\x",
    "／",
    "~",
    "a\tb",
]


def taken(update: bytes) -> "Doc[Any]":
    """A document that somebody makes of the file alone."""
    doc = open_doc()
    doc.apply_update(update)
    return doc


def filenames(header: str) -> tuple[str, str]:
    """What an older and a newer client call the file (RFC 6266)."""
    told = Message()
    told["Content-Disposition"] = header
    assert told.get_content_disposition() == "attachment"
    plain = header.split('filename="')[1].split('"', maxsplit=1)[0]
    return plain, unquote(header.split("filename*=UTF-8''")[1]) if "filename*" in header else plain


async def test_the_file_is_the_whole_document(meet: Meet) -> None:
    """Read by itself it is what the studio shows, also what was edited a moment ago."""
    ann = await meet("Ann")
    project = await ann.project("Nächte")
    await ann.post(f"{project}/markers", {"tick": 960, "label": "Chorus"})
    ben = await meet("Ben", ann, project)
    answer = await ben.get(f"{project}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert filenames(answer.headers["content-disposition"]) == ("Nachte.yjs", "Nächte.yjs")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert canonical(taken(answer.content)) == (await ann.get(f"{project}/document")).json()


async def test_readers_take_it_away_if_the_project_lets_them(meet: Meet) -> None:
    """Commenters and viewers are told that it is the owner's choice, until it is made; strangers find nothing."""
    ann = await meet("Ann")
    project = await ann.project()
    readers = [await meet(role, ann, project, role) for role in ("commenter", "viewer")]
    for reader in readers:
        refused = await reader.get(f"{project}/export")
        assert (code(refused), refused.json()["error"]["option"]) == ((403, "forbidden"), "readers_export")
    await ann.patch(f"{project}/options", {"readers_export": True})
    whole = (await ann.get(f"{project}/export")).content
    for reader in readers:
        assert (await reader.get(f"{project}/export")).content == whole
    assert code(await (await meet("Sam")).get(f"{project}/export")) == (404, "not_found")
    await ann.patch(f"{project}/options", {"readers_export": False})
    assert code(await readers[0].get(f"{project}/export")) == (403, "forbidden")
    assert code(await ann.get(f"{nowhere()}/export")) == (404, "not_found")


async def test_a_document_that_is_set_aside_says_so(meet: Meet, database: str) -> None:
    """No half a file: 503."""
    ann = await meet("Ann")
    project = await ann.project()
    pool = await open_pool(database, 1, 1)
    await pool.execute(QUARANTINE, project.rsplit("/", 1)[1])
    await pool.close()
    assert code(await ann.get(f"{project}/export")) == (503, "document_unavailable")


@pytest.mark.parametrize("name", [*NAMES, "é" * 120, "𝄞" * 120, "a" * 120], ids=ascii)
def test_a_name_makes_a_safe_file(name: str) -> None:
    """One header of ASCII whatever the name; no path, no control character, never too long, and always the suffix."""
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    for file in filenames(header):
        assert file.endswith(".yjs")
        assert not set(file) & set('/\\:*?"<>|')
        assert not file.startswith((".", " "))
        assert len(file.encode()) <= STEM_BYTES_MAX + len(".yjs")
    assert "%" not in filenames(header)[0]


def test_an_ordinary_name_stays_as_it_is() -> None:
    """And one that is not ASCII does too, for those who read RFC 6266."""
    assert disposition("Night drive") == 'attachment; filename="Night drive.yjs"'
    assert filenames(disposition("夜のドライブ")) == ("project.yjs", "夜のドライブ.yjs")
    assert filenames(disposition("50 % mix")) == ("50 _ mix.yjs", "50 % mix.yjs")
