"""A project's voice room: who may come in, who is there, and what the owner decides about it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends

from api.access import Standing, allowed_at_once, refusal, still
from api.errors import ApiError
from api.services import Given, Services, Work, unit
from api.shapes import AnyRole, Body, Person, Shape
from api.studio.options import decided
from api.voice import now, place_of
from api.voice_record import finish, here, looked_up, reconcile
from presence.events import VoiceChanged
from studio.roles import Action, Role
from voice.provider import Guest
from voice.rooms import room_of

OPEN_ROOM: Final = """
insert into voice_rooms (project_id, provider, opened_at) values ($1, $2, now())
on conflict (project_id) do update set provider = excluded.provider, opened_at = excluded.opened_at
"""
LIST_PRESENT: Final = """
select u.id, u.display_name as name, u.color, m.role, min(s.joined_at) as joined_at,
       coalesce(v.muted, false) as muted
  from voice_sessions s
  join project_members m on m.project_id = s.project_id and m.user_id = s.user_id
  join profiles u on u.id = s.user_id
  left join voice_members v on v.project_id = s.project_id and v.user_id = s.user_id
 where s.project_id = $1 and s.left_at is null and coalesce(v.removed_until <= now(), true)
 group by u.id, u.display_name, u.color, m.role, v.muted
 order by min(s.joined_at), u.id
"""
LOCK_MEMBER: Final = "select role from project_members where project_id = $1 and user_id = $2 for share"
MUTE_MEMBER: Final = """
insert into voice_members (project_id, user_id, muted) values ($1, $2, $3)
on conflict (project_id, user_id) do update set muted = excluded.muted
"""
REMOVE_MEMBER: Final = """
insert into voice_members (project_id, user_id, removed_until)
values ($1, $2, now() + make_interval(mins => $3))
on conflict (project_id, user_id) do update set removed_until = excluded.removed_until
"""
INSERT_ORDER: Final = "insert into voice_orders (kind, project_id, user_id) values ($1, $2, $3)"

router = APIRouter(prefix="/api/projects/{project_id}/voice", tags=["voice"])

# The provider is asked without a database connection in hand: it may take its time.
Member = Annotated[Standing, Depends(allowed_at_once(Action.READ))]
Owner = Annotated[Standing, Depends(allowed_at_once(Action.MANAGE))]


class VoiceToken(Shape):
    """Connect the provider's client to `url` with `token` before `expires_at`."""

    provider: str
    url: str
    token: str
    room: str
    expires_at: datetime


class Participant(Shape):
    """Somebody in the room. Whom the owner muted may listen alone."""

    user: Person
    role: AnyRole
    muted: bool
    joined_at: datetime


class VoiceRoom(Shape):
    """The room as the caller sees it; `listen` and `speak` are what they may do there."""

    provider: str
    listen: bool
    speak: bool
    viewers_listen: bool
    participants_max: int
    participants: Sequence[Participant]


class VoiceChange(Body):
    """What the project decides about its room."""

    viewers_listen: bool


class ParticipantChange(Body):
    """What the owner decides about somebody's voice; it holds until the room ends."""

    muted: bool


@router.post("")
async def enter_voice(standing: Member, given: Given) -> VoiceToken:
    """A token for the project's voice room, with what the caller's role allows there as it is now."""
    provider = given.voice.provider
    place = await place_of(given.pool, standing.project_id, standing.caller.id)
    if not place.grants.listen:
        raise refusal(place.role or standing.role, Action.LISTEN)
    if place.removed_seconds:
        raise ApiError("voice_removed", retry_after_seconds=place.removed_seconds)
    assert place.role is not None  # nobody else is granted anything
    await given.pool.execute(OPEN_ROOM, standing.project_id, provider.name)
    guest = Guest(standing.caller.id, standing.caller.name, place.role, place.grants)
    entrance = await provider.enter(room_of(standing.project_id), guest, now())
    return VoiceToken(
        provider=entrance.provider,
        url=entrance.url,
        token=entrance.token,
        room=entrance.room,
        expires_at=datetime.fromtimestamp(entrance.expires_at, UTC),
    )


@router.get("")
async def show_voice(standing: Member, given: Given) -> VoiceRoom:
    """Who is in the voice room, as the provider and its webhooks say."""
    _configured(given)
    present = await looked_up(given.voice, standing.project_id)
    if present is not None:
        async with unit(given) as work:
            await reconcile(work, given.voice, standing.project_id, present)
        given.voice.wake()
    return await _shown(given, standing)


@router.patch("")
async def change_voice(body: VoiceChange, standing: Owner, given: Given) -> VoiceRoom:
    """Decides whether viewers may listen. If not, those in the room are out within a second."""
    _configured(given)
    async with unit(given) as work:
        options = await decided(work.connection, standing.project_id, viewers_listen=body.viewers_listen)
        await still(work.connection, standing)
    given.voice.wake()
    return await _shown(given, replace(standing, options=options))


@router.delete("", status_code=204)
async def end_voice(standing: Member, given: Given) -> None:
    """Ends the room for everybody if the owner asks; for anybody else, leaves it."""
    _configured(given)
    async with unit(given) as work:
        if standing.role is Role.OWNER:
            await finish(work.connection, standing.project_id, now())
            await work.connection.execute(INSERT_ORDER, "end", standing.project_id, None)
            work.announce(VoiceChanged(standing.project_id, ()))
        else:
            await work.connection.execute(INSERT_ORDER, "remove", standing.project_id, standing.caller.id)
    given.voice.wake()


@router.patch("/participants/{user_id}", status_code=204)
async def mute_participant(user_id: UUID, body: ParticipantChange, standing: Owner, given: Given) -> None:
    """Takes somebody's voice, or gives it back. Who comes in again is as they were."""
    _configured(given)
    async with unit(given) as work:
        await _known(work, standing, user_id)
        await work.connection.execute(MUTE_MEMBER, standing.project_id, user_id, body.muted)
        await work.connection.execute(INSERT_ORDER, "grants", standing.project_id, user_id)
        work.announce(VoiceChanged(standing.project_id, await here(work.connection, standing.project_id)))
    given.voice.wake()


@router.delete("/participants/{user_id}", status_code=204)
async def remove_participant(user_id: UUID, standing: Member, given: Given) -> None:
    """Removes somebody, who cannot come in again while an old token lives; removing oneself is leaving."""
    _configured(given)
    if user_id != standing.caller.id:
        standing.require(Action.MANAGE)
    async with unit(given) as work:
        await _known(work, standing, user_id)
        if user_id != standing.caller.id:
            minutes = given.voice.settings.token_minutes
            await work.connection.execute(REMOVE_MEMBER, standing.project_id, user_id, minutes)
        await work.connection.execute(INSERT_ORDER, "remove", standing.project_id, user_id)
    given.voice.wake()


def _configured(given: Services) -> None:
    """Raises voice_unconfigured: without a provider nothing about voice is decided or shown."""
    if given.voice.open is None:
        raise ApiError("voice_unconfigured")


async def _known(work: Work, standing: Standing, user_id: UUID) -> None:
    if await work.connection.fetchval(LOCK_MEMBER, standing.project_id, user_id) is None:
        raise ApiError("not_found")
    await still(work.connection, standing)


async def _shown(given: Services, standing: Standing) -> VoiceRoom:
    place = await place_of(given.pool, standing.project_id, standing.caller.id)
    rows = await given.pool.fetch(LIST_PRESENT, standing.project_id)
    return VoiceRoom(
        provider=given.voice.provider.name,
        listen=place.grants.listen,
        speak=place.grants.speak,
        viewers_listen=standing.options.viewers_listen,
        participants_max=given.voice.settings.participants_max,
        participants=[
            Participant(
                user=Person(id=row["id"], name=row["name"], color=row["color"]),
                role=row["role"],
                muted=row["muted"],
                joined_at=row["joined_at"],
            )
            for row in rows
        ],
    )
