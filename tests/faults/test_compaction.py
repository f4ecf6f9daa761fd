"""A state that is stored must hold every row it stands for: other nodes write while a commit is under way."""

import asyncpg

from collab_server.settings import CollabSettings
from persistence.body import Entry, decode, encode
from persistence.journal import Batch, Change, append_on
from persistence.pool import Pool
from studio.canonical import canonical
from tests.collab_server.author import Author
from tests.collab_server.house import house, say
from tests.collab_server.peer import until
from tests.collab_server.row_lock import LOCK, WAITING
from tests.collab_server.world import World

CLIENT = 77_001


async def test_a_state_from_before_a_foreign_row_is_not_stored(world: World, pool: Pool, database: str) -> None:
    """Encoded, then another node's row came in between and was read: the flight lands next to it, without a state."""
    ada = await world.user("Ada")
    project = await world.project(ada)
    async with house(pool, CollabSettings(compact_after_rows=1)) as home:
        hosted, person = await home.open(project)
        holder = await asyncpg.connect(database)
        try:
            async with holder.transaction():
                await holder.fetchrow(LOCK, project)
                say(hosted, person, person.track("t_ours"))
                await until(lambda: world.pool.fetchval(WAITING), "our flight waits for the row")
                body = encode([Entry(ada.id, Author(CLIENT).track("t_theirs"))])
                change = Change(ada.id, "edit", 1, ())
                seqs = await append_on(holder, [Batch(project, 1, body, 1, (change,))])
                seq = seqs[project]
                assert isinstance(seq, int)
                hosted.grow(seq, decode(body))
        finally:
            await holder.close()
        await until(lambda: home.rows, "our flight has landed")
        assert home.rows == [(project, hosted.room.head)]
        assert not home.states
        say(hosted, person, person.field("tracks", "t_ours", "mute", True))
        await until(lambda: home.states, "the next flight brings a state")
        assert home.states == [hosted.room.state()]
        stored = await world.stored(project)
        assert stored == canonical(hosted.room.doc)
