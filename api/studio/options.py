"""What a project decides for itself: who may restore, command the transport, take it away and listen."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field, model_validator

from api.access import Reader, Standing, allowed_at_once, still
from api.errors import ApiError
from api.services import Given, unit
from api.shapes import Body, Shape
from persistence.options import options_of
from persistence.pool import Connection
from studio.roles import Action, Options

UPDATE_OPTIONS: Final = """
update projects
   set editors_restore = coalesce($2, editors_restore), commenters_transport = coalesce($3, commenters_transport),
       readers_export = coalesce($4, readers_export), viewers_listen = coalesce($5, viewers_listen), updated_at = now()
 where id = $1 and deleted_at is null
returning editors_restore, commenters_transport, readers_export, viewers_listen
"""


def _without_default(schema: dict[str, Any]) -> None:
    """What is left out stays as it is: no value stands for it."""
    schema.pop("default", None)


Choice = Annotated[bool, Field(json_schema_extra=_without_default)]

router = APIRouter(prefix="/api/projects/{project_id}/options", tags=["options"])

# Viewers who may no longer listen are told to the voice provider at once, which is after the commit.
Decider = Annotated[Standing, Depends(allowed_at_once(Action.MANAGE))]


class ProjectOptions(Shape):
    """Whether editors may restore, commenters command the transport, commenters and viewers export, viewers listen."""

    editors_restore: bool
    commenters_transport: bool
    readers_export: bool
    viewers_listen: bool


class OptionsChange(Body):
    """An option left out stays; at least one has to be there, and it is true or false."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    editors_restore: Choice = True
    commenters_transport: Choice = False
    readers_export: Choice = False
    viewers_listen: Choice = True

    @model_validator(mode="after")
    def _says_something(self) -> "OptionsChange":
        if not self.model_fields_set:
            raise ValueError("at least one option")
        return self


@router.get("")
async def show_options(standing: Reader) -> ProjectOptions:
    """What the project has decided."""
    return _shape(standing.options)


@router.patch("")
async def change_options(body: OptionsChange, standing: Decider, given: Given) -> ProjectOptions:
    """Changes some of it; open studios and the voice room act on it within a second."""
    async with unit(given) as work:
        options = await decided(work.connection, standing.project_id, **body.model_dump(exclude_unset=True))
        await still(work.connection, standing)
    given.voice.wake()
    return _shape(options)


async def decided(
    connection: Connection,
    project_id: UUID,
    editors_restore: bool | None = None,
    commenters_transport: bool | None = None,
    readers_export: bool | None = None,
    viewers_listen: bool | None = None,
) -> Options:
    """The project's options with these changed, None for what stays. Raises not_found."""
    asked = (editors_restore, commenters_transport, readers_export, viewers_listen)
    row = await connection.fetchrow(UPDATE_OPTIONS, project_id, *asked)
    if row is None:
        raise ApiError("not_found")
    return options_of(row)


def _shape(options: Options) -> ProjectOptions:
    return ProjectOptions.model_validate(options, from_attributes=True)
