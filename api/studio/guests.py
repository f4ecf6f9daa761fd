"""Guests: anybody may start without an account. A guest's token is all they have: shown once, kept as a hash."""

import secrets
import time
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from api.auth import from_our_pages, hashed, keep_session, new_token
from api.errors import ApiError
from api.services import Given, Services, Unit
from api.shapes import Body, Name, Shape, User
from studio.schema import PALETTE

LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

INSERT_GUEST: Final = """
with made as (
    insert into users (kind) values ('guest') returning id
), profile as (
    insert into profiles (id, username, display_name, color) select id, $1, $2, $3 from made
)
insert into access_tokens (token_sha256, user_id, expires_at) select $4, id, now() + $5::interval from made
returning user_id
"""

router = APIRouter(tags=["accounts"])


class NewGuest(Body):
    """`name` is what others see."""

    name: Name | None = None


class Welcome(Shape):
    """The new account and its token: shown this once."""

    user: User
    token: str


@router.post("/api/guests", status_code=201)
async def create_guest(
    request: Request, response: Response, given: Given, work: Unit, body: NewGuest | None = None
) -> Welcome:
    """Opens a guest account and a session."""
    if "origin" in request.headers and not from_our_pages(request, given.settings.api):
        raise ApiError("foreign_origin")
    await _refuse_floods(request, given)
    tag = "".join(secrets.choice(LETTERS) for _ in range(12))
    username, color, token = f"guest_{tag}", secrets.choice(PALETTE), new_token()
    name = (body.name if body else None) or f"Guest {tag[:4].upper()}"
    lifetime = timedelta(days=given.settings.api.session_days)
    user_id = await work.connection.fetchval(INSERT_GUEST, username, name, color, hashed(token), lifetime)
    keep_session(response, token, given.settings.api)
    return Welcome(user=User(id=user_id, name=name, username=username, color=color, kind="guest"), token=token)


async def _refuse_floods(request: Request, given: Services) -> None:
    address = request.client.host if request.client else "unknown"
    if wait := await given.guests.wait_seconds(address, time.time()):
        raise ApiError("rate_limited", retry_after_seconds=wait)
