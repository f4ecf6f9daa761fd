"""Writing to a room's members: a write is most of what an edit costs, so what is told at once is one write."""

from collections.abc import Sequence

from collab_server.member import Member


class Delivery:
    """What was committed waits for the tick that is due, if one is, and goes with what that tells."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Member] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def wait(self, member: Member, saved: bytes) -> None:
        """Tell a member what of its own is committed with the next `relay`, or when `rest` gives it."""
        member.saved += saved
        self._waiting.append(member)

    def relay(self, members: Sequence[Member], data: bytes) -> None:
        """The same to all who keep up."""
        for member in members:
            if member.lag_vector is None:
                saved = member.saved
                if saved:
                    member.saved = b""
                    member.write(saved + data)
                else:
                    member.write(data)

    def rest(self) -> list[tuple[Member, bytes]]:
        """What waited and was told with nothing else; nothing waits from now on."""
        members, self._waiting = self._waiting, []
        rest: list[tuple[Member, bytes]] = []
        for member in members:
            if member.saved:
                rest.append((member, member.saved))
                member.saved = b""
        return rest
