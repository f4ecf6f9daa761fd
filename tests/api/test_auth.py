"""Bearer tokens, session cookies, and writes that another site caused."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from persistence.pool import open_pool
from tests.api.people import HOST, Meet, client_of, code

REVOKE = "update access_tokens set revoked_at = now() where user_id = $1"
EXPIRE = "update access_tokens set expires_at = now() where user_id = $1"
FORGET = "update users set deleted_at = now() where id = $1"


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session cookie."""
    async with client_of(app) as client:
        assert (await client.post("/api/guests", json={"name": "Ann"})).status_code == 201
        yield client


async def test_a_cookie_reads_without_an_origin(browser: httpx.AsyncClient) -> None:
    """Following a link to the studio is signed in."""
    assert (await browser.get("/api/me")).json()["user"]["name"] == "Ann"


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.test", "http://studio.test.evil.test", "http://studio.test:81", "x://["]
)
async def test_a_cookie_writes_from_our_pages_only(browser: httpx.AsyncClient, origin: str | None) -> None:
    """A write that no page of ours caused is refused, and nothing happens."""
    headers = {} if origin is None else {"Origin": origin}
    refused = await browser.post("/api/projects", json={"name": "x"}, headers=headers)
    assert code(refused) == (403, "foreign_origin")
    assert (await browser.get("/api/projects")).json()["items"] == []


@pytest.mark.parametrize("address", [HOST, "http://localhost:8000"])
async def test_a_cookie_writes_from_our_own_pages(browser: httpx.AsyncClient, address: str) -> None:
    """The public address and the very host that was asked are ours."""
    headers = {"Origin": address, "Host": address.removeprefix("http://")}
    assert (await browser.post("/api/projects", json={"name": "x"}, headers=headers)).status_code == 201


async def test_a_bearer_token_needs_no_origin_and_goes_before_the_cookie(
    browser: httpx.AsyncClient, meet: Meet
) -> None:
    """No browser sends a bearer token by itself."""
    ben = await meet("Ben")
    headers = {"Authorization": f"Bearer {ben.token}"}
    assert (await browser.get("/api/me", headers=headers)).json()["user"]["name"] == "Ben"
    assert (await browser.post("/api/projects", json={}, headers=headers)).status_code == 201
    wrong = await browser.get("/api/me", headers={"Authorization": "Bearer wrong"})
    assert code(wrong) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer é", "bearer null"]
)
async def test_what_is_no_token_is_nobody(http: httpx.AsyncClient, header: str) -> None:
    """Refused with the way to do it right."""
    refused = await http.get("/api/me", headers={b"Authorization": header.encode()})
    assert code(refused) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("statement", [REVOKE, EXPIRE, FORGET])
async def test_a_token_ends(meet: Meet, database: str, statement: str) -> None:
    """Revoked, expired, or of an account that is gone: at the next request."""
    ann = await meet("Ann")
    pool = await open_pool(database)
    await pool.execute(statement, ann.id)
    await pool.close()
    assert code(await ann.get("/api/me")) == (401, "unauthenticated")
