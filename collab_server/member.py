"""One connection as its room sees it."""

from collections.abc import Callable
from uuid import UUID

from collab_server.dialects.dialect import Dialect
from collab_server.express import Lane
from collab_server.stamp import Stamp
from collab_server.unsent import Unsent
from presence.principal import Principal
from studio.restriction import Restriction
from studio.roles import Action, Role, may


class Member:
    """A person's connection to a room: who, in which dialect, with which role, and how to write to it.

    `write` takes whole websocket frames and never blocks; only the hub calls it.
    """

    __slots__ = (
        "_stamp",
        "asked",
        "could_write",
        "credited",
        "deflates",
        "dialect",
        "edits",
        "id",
        "joined",
        "lag_vector",
        "lane",
        "late_acks",
        "late_ask",
        "late_bytes",
        "principal",
        "restriction",
        "role",
        "saved",
        "told_denied",
        "unsent",
        "user_id",
        "write",
        "writes",
    )

    def __init__(
        self,
        id: UUID,
        principal: Principal,
        dialect: Dialect,
        write: Callable[[bytes], object],
        *,
        deflates: bool = False,
        could_write: bool = False,
    ) -> None:
        self.id = id
        self.principal = principal
        self.user_id = principal.user_id
        self.dialect = dialect
        self.deflates = deflates
        self.write = write
        self.joined = 0
        """How many had come to its room before it."""
        self.asked = False
        """Whether its Step1 was answered: before, it gets no edits, as it lacks what they lean on."""
        self.edits = 0
        self.lag_vector: bytes | None = None
        """The state vector up to which this slow reader was served; None while it keeps up."""
        self.lane: Lane | None = None
        """Its everyday way of writing, once it is known."""
        self.late_acks: list[bytes] = []
        self.late_ask: bytes | None = None
        """A Step1 that came while it read too slowly."""
        self.late_bytes = 0
        self.saved = b""
        """What it is told with the next tick: frames about what of its own is committed."""
        self.credited = principal.credited
        self.restriction: Restriction | None = None
        """What it may write, if not everything. Only an editor is ever restricted."""
        self.role = principal.role
        self._stamp: Stamp | None = None
        self.writes = False
        self.told_denied = False
        self.could_write = could_write
        """Whether it may write, or ever might in this project."""
        self.unsent: Unsent | None = None
        """What it wrote when it might not any more, if that is to be kept."""
        self.become(principal.role)

    @property
    def follows(self) -> bool:
        """Whether it is told of edits as they come."""
        return self.asked and self.lag_vector is None

    def become(self, role: Role, restriction: Restriction | None = None, credited: bool | None = None) -> None:
        """Take another role or restriction, or be credited or not; it counts from the next frame on."""
        self.role = role
        self.restriction = restriction if role is Role.EDITOR else None
        self.credited = self.credited if credited is None else credited
        self._stamp = None
        self.writes = may(role, Action.WRITE)
        self.could_write = self.could_write or self.writes
        self.told_denied = False

    def stands_as(self, role: Role, restriction: Restriction | None, credited: bool) -> bool:
        """Whether `become` would change nothing."""
        narrowed = restriction if role is Role.EDITOR else None
        return role is self.role and narrowed == self.restriction and credited == self.credited

    @property
    def stamp(self) -> Stamp:
        """What is written into its presence: the person as others see it."""
        if self._stamp is None:
            self._stamp = Stamp(self.identity())
        return self._stamp

    def identity(self) -> dict[str, str | bool]:
        """The person as others see it; a client can't choose it. A restricted editor's restriction is told."""
        person = self.principal
        identity: dict[str, str | bool] = {
            "id": str(person.user_id),
            "name": person.name,
            "color": person.color,
            "role": self.role.value,
            "credited": self.credited,
        }
        if self.restriction is not None:
            identity |= self.restriction.told()
        return identity
