"""Tickets: short-lived HS256 tokens from the HTTP app that open one project's document for one user.

`now` is in seconds since 1970 and comes from the caller. The algorithm is fixed here, never read from the token.
"""

from typing import Any, Final
from uuid import UUID, uuid4

import jwt

from presence.errors import TicketExpired, TicketInvalid
from presence.principal import Principal
from studio.roles import Role

ALGORITHM: Final = "HS256"
ISSUER: Final = "backline"
AUDIENCE: Final = "collab"
CLAIMS: Final = ("iss", "aud", "sub", "name", "color", "project", "role", "credited", "iat", "exp", "jti")
CLOCK_SKEW_SECONDS: Final = 30
LENGTH_MAX: Final = 4096


def mint(principal: Principal, secret: str, now: float, ttl: int = 300) -> str:
    """A ticket good for `ttl` seconds from `now`."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(principal.user_id),
        "name": principal.name,
        "color": principal.color,
        "project": str(principal.project_id),
        "role": principal.role.value,
        "credited": principal.credited,
        "iat": int(now),
        "exp": int(now) + ttl,
        "jti": uuid4().hex,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def verify(token: str, secret: str, project_id: UUID, now: float) -> Principal:
    """Whom the ticket vouches for in this project. Raises TicketExpired, TicketInvalid."""
    claims = _claims(token, secret)
    _check_times(claims, now)
    principal = _principal(claims)
    if principal.project_id != project_id:
        raise TicketInvalid("it is for another project")
    return principal


def _claims(token: str, secret: str) -> dict[str, Any]:
    if len(token) > LENGTH_MAX:
        raise TicketInvalid("it is too long")
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": list(CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise TicketInvalid(str(error) or type(error).__name__) from None


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is not int or type(expires) is not int:
        raise TicketInvalid("its times are not whole seconds")
    if issued > now + CLOCK_SKEW_SECONDS:
        raise TicketInvalid("it was issued in the future")
    if expires <= now:
        raise TicketExpired(expires)


def _principal(claims: dict[str, Any]) -> Principal:
    name, color, credited = claims["name"], claims["color"], claims["credited"]
    if not isinstance(name, str) or not isinstance(color, str) or not isinstance(credited, bool):
        raise TicketInvalid("a claim is of the wrong type")
    try:
        return Principal(UUID(claims["sub"]), name, color, Role(claims["role"]), UUID(claims["project"]), credited)
    except (ValueError, AttributeError, TypeError):
        raise TicketInvalid("a claim cannot be read") from None
