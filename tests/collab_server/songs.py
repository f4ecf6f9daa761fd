"""Large songs, made once by one client."""

from studio.binding import new_entity
from studio.schema import PPQ
from tests.collab_server.author import Author


def song(tracks: int, clips: int, client: int = 500) -> list[bytes]:
    """The updates, one an entity, of a song with so many tracks and clips."""
    author = Author(client)
    made = [author.track(f"t_{number}", name=f"Track {number}", order=f"a{number:03d}") for number in range(tracks)]
    return made + [_clip(author, number, tracks) for number in range(clips)]


def _clip(author: Author, number: int, tracks: int) -> bytes:
    fields = {"track": f"t_{number % tracks}", "asset": "", "base": "beats", "pos": 4 * PPQ * number, "in": 0}
    fields |= {"out": 4 * PPQ, "gain_db": 0, "take": f"c_{number}", "deleted": None, "name": f"Clip {number}"}
    return author.edit(lambda roots: roots["clips"].update({f"c_{number}": new_entity(fields.items())}))
