"""Who is in a voice room, as webhooks and the provider tell it: late, twice, in any order, and not always.

A session's stamps decide, not the order of arrival. What was never told is found when somebody looks (`looked_up`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from api.services import Work
from api.voice import Voice, place_of
from persistence.pool import Connection
from presence.events import VoiceChanged
from studio.roles import Role
from voice.errors import VoiceError
from voice.events import Finished, Irrelevant, Joined, Left, VoiceEvent
from voice.grants import Verdict, verdict
from voice.provider import Present
from voice.rooms import room_of

YOUNG_SECONDS: Final = 5
"""A session this young may not have been in the provider's list when it was made."""

INSERT_EVENT: Final = "insert into voice_events (provider, event_id) values ($1, $2) on conflict do nothing returning 1"
FORGET_EVENTS: Final = "delete from voice_events where heard_at < now() - interval '2 days'"
FORGET_SESSIONS: Final = "delete from voice_sessions where project_id = $1 and left_at < now() - interval '2 days'"
LOCK_ROOM: Final = """
insert into voice_rooms (project_id) select id from projects where id = $1
on conflict (project_id) do update set project_id = excluded.project_id
returning project_id
"""
INSERT_SESSION: Final = """
insert into voice_sessions (provider, session_id, project_id, user_id, joined_at, left_at)
select $1, $2, $3, $4, $5, (select finished_at from voice_rooms where project_id = $3 and finished_at > $5)
on conflict (provider, session_id) do nothing
returning left_at is null as here
"""
END_SESSION: Final = """
insert into voice_sessions (provider, session_id, project_id, user_id, joined_at, left_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (provider, session_id) do update set left_at = excluded.left_at where voice_sessions.left_at is null
"""
END_SESSIONS: Final = """
update voice_sessions set left_at = $2 where project_id = $1 and left_at is null and joined_at < $2
"""
END_MISSING: Final = """
update voice_sessions set left_at = now()
 where project_id = $1 and provider = $2 and left_at is null and session_id <> all ($3)
   and joined_at < now() - make_interval(secs => $4)
returning 1
"""
FINISH_ROOM: Final = """
update voice_rooms set finished_at = greatest(finished_at, $2) where project_id = $1
"""
FORGET_DECISIONS: Final = "delete from voice_members where project_id = $1 and coalesce(removed_until <= now(), true)"
SELECT_HERE: Final = """
select coalesce(array_agg(distinct user_id order by user_id), '{}') as here
  from voice_sessions where project_id = $1 and left_at is null
"""
INSERT_ORDER: Final = "insert into voice_orders (kind, project_id, user_id) values ($1, $2, $3)"
CLAIM_LOOK: Final = """
update voice_rooms set looked_at = now()
 where project_id = $1 and opened_at is not null
   and (looked_at is null or looked_at <= now() - make_interval(secs => $2))
returning 1
"""
LOOK_AGAIN: Final = "update voice_rooms set looked_at = null where project_id = $1"


async def record(work: Work, voice: Voice, event: VoiceEvent) -> None:
    """Takes a webhook's event into the record, once, and announces who is there if that may have changed."""
    provider = voice.provider.name
    if isinstance(event, Irrelevant) or not await work.connection.fetchval(INSERT_EVENT, provider, event.event_id):
        return
    await work.connection.execute(FORGET_EVENTS)
    if not await work.connection.fetchval(LOCK_ROOM, event.project_id):
        return  # deleted for good, or of another deployment with the same keys
    before = await here(work.connection, event.project_id)
    match event:
        case Joined(_, project_id, session_id, user_id, role, at):
            present = Present(session_id, user_id, at)
            if await _begin(work.connection, provider, project_id, present):
                await _admit(work, project_id, user_id, role)
        case Left(_, project_id, session_id, user_id, at):
            await work.connection.execute(END_SESSION, provider, session_id, project_id, user_id, _moment(at))
        case Finished(_, project_id, at):
            await finish(work.connection, project_id, at)
    await _announce(work, event.project_id, before)


async def finish(connection: Connection, project_id: UUID, at: float) -> None:
    """The room was over at `at` (seconds since 1970), and with it what the owner decided about voices in it."""
    await connection.execute(END_SESSIONS, project_id, _moment(at))
    await connection.execute(FINISH_ROOM, project_id, _moment(at))
    await connection.execute(FORGET_DECISIONS, project_id)
    await connection.execute(FORGET_SESSIONS, project_id)


async def looked_up(voice: Voice, project_id: UUID) -> Sequence[Present] | None:
    """Who the provider says is there; None if it was asked a moment ago. Raises what the provider raises."""
    if not await voice.pool.fetchval(CLAIM_LOOK, project_id, voice.settings.look_seconds):
        return None
    try:
        return await voice.provider.present(room_of(project_id))
    except VoiceError:
        await voice.pool.execute(LOOK_AGAIN, project_id)
        raise


async def reconcile(work: Work, voice: Voice, project_id: UUID, present: Sequence[Present]) -> None:
    """Brings the record up to what the provider said."""
    await work.connection.fetchval(LOCK_ROOM, project_id)
    before = await here(work.connection, project_id)
    provider = voice.provider.name
    for each in present:
        if await _begin(work.connection, provider, project_id, each):
            await _admit(work, project_id, each.user_id, None)
    sessions = [each.session_id for each in present]
    await work.connection.fetch(END_MISSING, project_id, provider, sessions, YOUNG_SECONDS)
    await _announce(work, project_id, before)


async def here(connection: Connection, project_id: UUID) -> tuple[UUID, ...]:
    """Who is in the room by the record."""
    return tuple(await connection.fetchval(SELECT_HERE, project_id))


async def _begin(connection: Connection, provider: str, project_id: UUID, present: Present) -> bool:
    """True if this session is new and not over."""
    moment = _moment(present.joined_at)
    return bool(
        await connection.fetchval(INSERT_SESSION, provider, present.session_id, project_id, present.user_id, moment)
    )


async def _admit(work: Work, project_id: UUID, user_id: UUID, brought: Role | None) -> None:
    """Whoever came in with a token that is no longer right goes, or gets what is right now."""
    place = await place_of(work.connection, project_id, user_id)
    decided = verdict(brought, place.role, place.grants, place.muted, place.removed_seconds > 0)
    if decided is not Verdict.STAY:
        await work.connection.execute(INSERT_ORDER, decided.value, project_id, user_id)


async def _announce(work: Work, project_id: UUID, before: tuple[UUID, ...]) -> None:
    now = await here(work.connection, project_id)
    if now != before:
        work.announce(VoiceChanged(project_id, now))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), 32_503_680_000.0), UTC)
