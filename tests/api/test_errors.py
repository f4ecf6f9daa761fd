"""Refusals: hostile bodies, wrong addresses, and the table of codes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.errors import CODES, CONSTRAINTS
from tests.api.people import Meet, code

MIGRATIONS = Path(__file__).parents[2] / "persistence" / "migrations"
MARKER = '{"tick": %s, "label": "x"}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (MARKER % "NaN", 422),
        (MARKER % "Infinity", 422),
        (MARKER % "1e400", 422),
        (MARKER % "1e999999999", 422),
        (MARKER % ("9" * 4000), 422),
        (MARKER % ("9" * 5000), 400),
        (MARKER % "null", 422),
        (MARKER % '"1"', 422),
        (MARKER % '{"a": 1}', 422),
        (MARKER % '1, "tick": "x"', 422),
        ('{"tick": 1, "label": "\\ud800"}', 422),
        ('{"tick": 1, "label": "\\u0000"}', 422),
        ('{"tick": 1, "label": "x", "__proto__": {}}', 422),
        ("[" * 100_000, 400),
        ('{"a":' * 50_000, 400),
        ("", 422),
        ("{", 400),
        ("null", 422),
        ("[]", 422),
        ("\x00", 400),
        ("\xff\xfe", 400),
    ],
)
async def test_a_hostile_body_is_a_typed_refusal(meet: Meet, body: str, status: int) -> None:
    """Whatever the body, the answer is 4xx with a code, and the document stays as it was."""
    ann = await meet("Ann")
    project = await ann.project()
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}
    refused = await ann.http.post(f"{project}/markers", content=body.encode("latin-1"), headers=headers)
    assert code(refused) == (status, {400: "malformed", 422: "invalid"}[status])
    assert len(refused.content) < 2000
    assert (await ann.get(f"{project}/markers")).json()["items"] == []


@pytest.mark.parametrize("declared", [True, False])
async def test_a_large_body_is_refused_unread(meet: Meet, declared: bool) -> None:
    """2 MB are 413, by the declared length or by what comes in."""
    ann = await meet("Ann")
    project = await ann.project()
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}
    large = b'{"body": "' + b"x" * 2_000_000 + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    refused = await ann.http.post(f"{project}/notes", content=large if declared else pieces(), headers=headers)
    assert code(refused) == (413, "too_large")


async def test_a_form_is_no_json(meet: Meet) -> None:
    """What another site's form can send is not read as a body."""
    ann = await meet("Ann")
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "text/plain"}
    refused = await ann.http.patch("/api/me", content=b'{"name": "x"}', headers=headers)
    assert code(refused) == (422, "invalid")


async def test_addresses_and_methods_nobody_knows(http: httpx.AsyncClient) -> None:
    """404 and 405 have our form too, and 405 says what is possible."""
    assert code(await http.get("/api/nothing")) == (404, "not_found")
    assert code(await http.get("/nothing")) == (404, "not_found")
    refused = await http.put("/api/me", json={})
    assert code(refused) == (405, "method_not_allowed")
    assert "GET" in refused.headers["allow"]


async def test_a_wrong_value_is_named_but_never_echoed(meet: Meet) -> None:
    """The field and the reason are told; the value may be a secret."""
    ann = await meet("Ann")
    refused = await ann.patch("/api/me", {"color": "my-secret-value", "extra": "another-secret"})
    named = {field["field"] for field in refused.json()["error"]["fields"]}
    assert named == {"color", "extra"}
    assert "secret" not in refused.text


def test_every_constraint_of_the_table_exists() -> None:
    """A renamed constraint would silently lose its code."""
    schema = "\n".join(file.read_text() for file in MIGRATIONS.glob("*.sql"))
    for constraint, refusal in CONSTRAINTS.items():
        assert constraint in schema
        assert refusal in CODES
