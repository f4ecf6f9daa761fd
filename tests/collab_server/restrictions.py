"""A song, and a room in which somebody may edit but a part of it."""

from studio.binding import new_entity
from studio.canonical import canonical
from studio.restriction import Only, Restriction
from studio.roles import Role
from tests.collab_server.author import Author
from tests.collab_server.rooms import Hands, Person, open_room

MIX = Restriction(Only.MIX)
MARKERS = Restriction(Only.MARKERS)
MINE = Restriction(Only.TRACKS, frozenset({"t_mine"}))
KINDS = {"mix": MIX, "markers": MARKERS, "tracks": MINE}
RESTRICT = "update project_members set restriction = $3 where project_id = $1 and user_id = $2"


def song() -> list[bytes]:
    """Two tracks, each with a clip, an effect, a point and a send; a marker."""
    author = Author(500)
    made = [author.track("t_mine"), author.track("t_other"), author.marker("m_1", 0, "Intro")]
    for track in ("mine", "other"):
        made += [
            entity(author, "clips", f"c_{track}", track=f"t_{track}", pos=0, take=f"c_{track}"),
            entity(author, "effects", f"e_{track}", track=f"t_{track}", order="a", kind="eq", on=True),
            entity(author, "sends", f"t_{track}>master", gain_db=0, on=True),
            author.put("points", f"t_{track}.gain/p_1", [0.0, 0.5, 1.0]),
            author.put("events", f"c_{track}/n_1", [0.0, 240.0, 60.0, 0.5]),
        ]
    return made


def entity(author: Author, root: str, id: str, **fields: object) -> bytes:
    """Add an entity of any root."""
    return author.edit(lambda roots: roots[root].update({id: new_entity(fields.items())}))


def desk(restriction: Restriction | None) -> tuple[Hands, Person, Person]:
    """A room with the song, an editor, and one who is restricted."""
    hands, ada, bob = Hands(open_room(song())), Person(10), Person(11)
    hands.join(ada, bob)
    bob.member.become(Role.EDITOR, restriction)
    return hands, ada, bob


def held(hands: Hands) -> object:
    return canonical(hands.room.doc)
