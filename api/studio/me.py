"""The caller's own account."""

from typing import Final

from fastapi import APIRouter

from api.auth import SignedIn
from api.services import Unit
from api.shapes import Body, Color, Name, Shape, User

UPDATE_PROFILE: Final = """
update profiles
   set display_name = coalesce($2, display_name), color = coalesce($3, color), updated_at = now()
 where id = $1
returning id, display_name as name, username, color
"""

router = APIRouter(tags=["accounts"])


class Me(Shape):
    """The account behind the token."""

    user: User


class ProfileChange(Body):
    """What others see; a field left out stays."""

    name: Name | None = None
    color: Color | None = None


@router.get("/api/me")
async def show_me(caller: SignedIn) -> Me:
    """Who am I?"""
    return Me(user=caller.shape())


@router.patch("/api/me")
async def change_me(body: ProfileChange, caller: SignedIn, work: Unit) -> Me:
    """Changes name or colour. An open studio shows them at its next ticket."""
    row = await work.connection.fetchrow(UPDATE_PROFILE, caller.id, body.name, body.color)
    assert row is not None
    return Me(user=User(kind=caller.kind, **dict(row)))
