"""Who is in voice, of many projects in one statement."""

from uuid import UUID

from persistence.pool import Pool
from persistence.voices import Voices
from tests.persistence.conftest import MakeProject, MakeUser

SESSION = """
insert into voice_sessions (provider, session_id, project_id, user_id, joined_at, left_at)
values ('livekit', $1, $2, $3, now(), case when $4 then now() end)
"""


async def test_who_is_there(pool: Pool, make_project: MakeProject, make_user: MakeUser) -> None:
    """Each once and in order, whoever left not, and nobody of a project that was not asked for."""
    full, empty, other = await make_project(), await make_project(), await make_project()
    ada, ben = await make_user(), await make_user()
    sessions: list[tuple[str, UUID, UUID, bool]] = [
        ("a1", full, ada, False),
        ("a2", full, ada, False),
        ("b1", full, ben, False),
        ("b2", empty, ben, True),
        ("a3", other, ada, False),
    ]
    for session in sessions:
        await pool.execute(SESSION, *session)
    assert await Voices(pool).here([full, empty]) == {full: tuple(sorted((ada, ben)))}
