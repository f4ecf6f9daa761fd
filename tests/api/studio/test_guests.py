"""Guest accounts."""

import httpx
import pytest

from api.app import running
from api.settings import Settings
from persistence.pool import open_pool
from tests.api.people import HOST, Meet, client_of, code

TOKENS_OF = (
    "select token_sha256, expires_at - now() > interval '360 days' as long from access_tokens where user_id = $1"
)


async def test_a_guest_gets_an_account_a_token_and_a_session(http: httpx.AsyncClient) -> None:
    """POST /api/guests answers user and token, and sets the cookie that scripts cannot read."""
    made = await http.post("/api/guests", json={"name": " Ann "})
    http.cookies.clear()
    assert made.status_code == 201
    user = made.json()["user"]
    assert (user["name"], user["kind"]) == ("Ann", "guest")
    assert user["username"].startswith("guest_")
    cookie = made.headers["set-cookie"]
    assert cookie.startswith(f"backline_session={made.json()['token']};")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_a_guest_needs_no_name(http: httpx.AsyncClient) -> None:
    """Without a body one is called Guest something."""
    for sent in (None, {}, {"name": None}):
        made = await http.post("/api/guests", json=sent)
        http.cookies.clear()
        assert made.status_code == 201
        assert made.json()["user"]["name"].startswith("Guest ")


async def test_only_the_hash_of_a_token_is_stored(meet: Meet, database: str) -> None:
    """Who reads the table learns no token."""
    ann = await meet()
    pool = await open_pool(database)
    try:
        rows = await pool.fetch(TOKENS_OF, ann.id)
    finally:
        await pool.close()
    assert len(rows) == 1
    assert rows[0]["long"]
    assert ann.token.encode() not in rows[0]["token_sha256"]


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "x" * 81}, {"name": 1}, {"nome": "Ann"}, [], "Ann", {"name": "\x07"}]
)
async def test_a_bad_name_makes_no_account(http: httpx.AsyncClient, body: object) -> None:
    """A refused body sets no cookie."""
    refused = await http.post("/api/guests", json=body)
    assert code(refused) == (422, "invalid")
    assert "set-cookie" not in refused.headers


async def test_another_site_cannot_log_a_browser_in(http: httpx.AsyncClient) -> None:
    """A foreign Origin gets no session."""
    assert code(await http.post("/api/guests", headers={"Origin": "https://evil.test"})) == (403, "foreign_origin")
    made = await http.post("/api/guests", headers={"Origin": HOST})
    http.cookies.clear()
    assert made.status_code == 201


async def test_an_address_opens_a_limited_number_of_accounts(settings: Settings) -> None:
    """After the hour's number the answer is 429 and says how long to wait."""
    strict = settings.model_copy(update={"api": settings.api.model_copy(update={"guests_per_hour_max": 3})})
    async with running(strict) as app, client_of(app, address="203.0.113.9") as client:
        answers = [await client.post("/api/guests") for _ in range(5)]
    codes = [answer.status_code for answer in answers]
    assert codes.count(429) >= 2
    assert code(answers[-1]) == (429, "rate_limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3600
