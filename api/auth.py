"""Who is asking: a bearer token, or the browser's session cookie. Only a token's sha256 is kept.

A cookie is sent by the browser whoever caused the request, so a write with one must come from our own pages: its
Origin has to be this host or the public address.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ApiError
from api.services import Given, Unit
from api.settings import ApiSettings
from api.shapes import User
from persistence.pool import Connection

COOKIE = "backline_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN_MAX = 200

SELECT_CALLER = """
select u.id, u.kind, p.username, p.display_name, p.color
  from access_tokens t
  join users u on u.id = t.user_id
  join profiles p on p.id = u.id
 where t.token_sha256 = $1 and t.revoked_at is null and t.expires_at > now() and u.deleted_at is null
"""

bearer = HTTPBearer(auto_error=False, description="A token from POST /api/guests.")
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The browser's session.")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account a request speaks for."""

    id: UUID
    name: str
    username: str
    color: str
    kind: Literal["guest", "member"]

    def shape(self) -> User:
        """The caller as JSON shows them."""
        return User(id=self.id, name=self.name, username=self.username, color=self.color, kind=self.kind)


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What is stored and looked up instead of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def presented(
    request: Request,
    given: Given,
    authorization: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    session: Annotated[str | None, Depends(cookie)],
) -> str:
    """The token a request carries; a bearer token goes before a cookie. Raises unauthenticated, foreign_origin."""
    token = authorization.credentials if authorization is not None else session
    if not token or len(token) > TOKEN_MAX:
        raise ApiError("unauthenticated")
    if authorization is None and request.method not in SAFE_METHODS and not from_our_pages(request, given.settings.api):
        raise ApiError("foreign_origin")
    return token


def from_our_pages(request: Request, settings: ApiSettings) -> bool:
    """True when the browser says that one of our pages caused the request."""
    origin = request.headers.get("origin", "")
    return origin == settings.public_url or _host(origin) == request.headers.get("host", " ")


def _host(origin: str) -> str:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"http", "https"} else ""


async def known(connection: Connection, token: str) -> Caller:
    """The account of a token. Raises unauthenticated."""
    row = await connection.fetchrow(SELECT_CALLER, hashed(token))
    if row is None:
        raise ApiError("unauthenticated")
    return Caller(row["id"], row["display_name"], row["username"], row["color"], row["kind"])


Token = Annotated[str, Depends(presented)]


async def caller(token: Token, work: Unit) -> Caller:
    """The account of this request, read in its transaction."""
    return await known(work.connection, token)


SignedIn = Annotated[Caller, Depends(caller)]


def keep_session(response: Response, token: str, settings: ApiSettings) -> None:
    """Lets the browser send the token by itself, to this site only, out of reach of scripts."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(timedelta(days=settings.session_days).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
        path="/",
    )
