"""What the caller is in a project. Who is no member finds nothing there; whose role is too small is told so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.auth import Caller, SignedIn, Token, known
from api.errors import ApiError
from api.services import Given, Unit
from persistence.options import options_of
from persistence.pool import Connection
from studio.restriction import Restriction, allows, stored_restriction
from studio.roles import Action, Options, Role, may, option_for

SELECT_STANDING = """
select m.role, m.credited, m.restriction, p.name, d.epoch,
       p.editors_restore, p.commenters_transport, p.readers_export, p.viewers_listen
  from project_members m
  join projects p on p.id = m.project_id and p.deleted_at is null
  join documents d on d.project_id = p.id
 where m.project_id = $1 and m.user_id = $2
"""
RESTRICTED = "The owner lets you change only a part of this project."
CHANGED = "What you may do in this project has just been changed: try again."
NOT_OPENED = "The owner of this project has not opened this to your role."


@dataclass(frozen=True, slots=True)
class Standing:
    """The caller as a member of a project."""

    project_id: UUID
    caller: Caller
    role: Role
    credited: bool
    project_name: str
    epoch: int
    options: Options
    restriction: Restriction | None = None

    def require(self, action: Action) -> None:
        """Raises forbidden when role and options do not allow the action, or an editor's restriction does not.

        Where an option of the project decided, the refusal names it.
        """
        if not may(self.role, action, self.options):
            raise refusal(self.role, action)
        if self.restriction is not None and not allows(self.restriction, action):
            only = self.restriction.only.value
            raise ApiError("forbidden", RESTRICTED, role=self.role.value, action=action.value, only=only)

    def allows(self, action: Action) -> bool:
        """True if `require` raises nothing."""
        restricted = self.restriction is not None and not allows(self.restriction, action)
        return may(self.role, action, self.options) and not restricted


def refusal(role: Role, action: Action) -> ApiError:
    """What somebody is told whose role does not allow the action, with the project's options as they are."""
    option = option_for(role, action)
    if option is None:
        return ApiError("forbidden", role=role.value, action=action.value)
    return ApiError("forbidden", NOT_OPENED, role=role.value, action=action.value, option=option)


async def standing(connection: Connection, project_id: UUID, caller: Caller) -> Standing:
    """The caller's membership. Raises not_found for a stranger, a deleted project and none at all."""
    row = await connection.fetchrow(SELECT_STANDING, project_id, caller.id)
    if row is None:
        raise ApiError("not_found")
    role = Role(row["role"])
    narrowed = stored_restriction(row["restriction"]) if role is Role.EDITOR else None
    place = (row["credited"], row["name"], row["epoch"], options_of(row), narrowed)
    return Standing(project_id, caller, role, *place)


async def still(connection: Connection, before: Standing) -> None:
    """Asks again for whoever had to wait for a lock. Raises not_found, and conflict if they may do less than before."""
    now = await standing(connection, before.project_id, before.caller)
    narrowed = now.restriction is not None and now.restriction != before.restriction
    if narrowed or any(before.allows(action) and not now.allows(action) for action in Action):
        raise ApiError("conflict", CHANGED, role=now.role.value)


def allowed(action: Action) -> Callable[..., Awaitable[Standing]]:
    """A dependency: the caller's standing, in the request's transaction, if the role allows `action`."""

    async def check(project_id: UUID, caller: SignedIn, work: Unit) -> Standing:
        found = await standing(work.connection, project_id, caller)
        found.require(action)
        return found

    return check


def allowed_at_once(action: Action) -> Callable[..., Awaitable[Standing]]:
    """Like `allowed`, for handlers that use the pool themselves: no connection is held while they do.

    A handler that waited for a second connection with one in hand could wait for ever.
    """

    async def check(project_id: UUID, token: Token, given: Given) -> Standing:
        async with given.pool.acquire() as connection:
            found = await standing(connection, project_id, await known(connection, token))
        found.require(action)
        return found

    return check


Reader = Annotated[Standing, Depends(allowed(Action.READ))]
Manager = Annotated[Standing, Depends(allowed(Action.MANAGE))]
