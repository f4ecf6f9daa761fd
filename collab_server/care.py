"""What a node has to look after without being asked: by name, so that nobody is kept in memory by it.

Ten thousand rooms in which nobody does anything are looked at by none of these but the agendas: a room once in the time
after which presence runs out, a connection once in a keep-alive.
"""

from uuid import UUID

from collab_server.agenda import Agenda
from collab_server.heads import Heads


class Care:
    """Rooms by project, connections by id."""

    def __init__(self, now: float) -> None:
        self.rooms: Agenda[UUID] = Agenda(now)
        """Each open one has an appointment (see Hosted.look_at)."""
        self.connections: Agenda[UUID] = Agenda(now)
        """Each one that entered has an appointment."""
        self.heads = Heads()
        """How far the open ones are."""
        self.awake: set[UUID] = set()
        """Whose document is not put away, or was read where it is."""
        self.edited: set[UUID] = set()
        """Who may need a projection or a snapshot."""
