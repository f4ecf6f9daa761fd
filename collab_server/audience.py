"""Who hears a room: its members by dialect, so that each frame is built once for all who speak alike."""

from collab_server.dialects.dialect import Dialect
from collab_server.effects import Effect, Relay, Spread
from collab_server.member import Member

News = list[tuple[Member | None, bytes]]
"""Edits in the order in which they were applied, each with its author; None for the server or another node."""


class Audience:
    """The members of a room. `changed` must be called whenever one of them begins or ceases to follow."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self._came = 0
        self._groups: list[tuple[Dialect, list[Member]]] | None = None
        self._answers: set[bytes] = set()

    def add(self, member: Member) -> None:
        """Somebody has come."""
        member.joined = self._came
        self._came += 1
        self.members.append(member)
        self._groups = None

    def remove(self, member: Member) -> None:
        """Somebody has left, if they were here."""
        if member in self.members:
            self.members.remove(member)
            self._groups = None

    def changed(self) -> None:
        """Somebody follows from now on, or does no more."""
        self._groups = None

    def answered(self, update: bytes) -> None:
        """An update came as Step2, the answer to a Step1: others may have given the very same since the last tick."""
        self._answers.add(update)

    def ticked(self) -> None:
        """Everything gathered was told: what comes now as the same bytes is a duplicate, and told to nobody."""
        self._answers.clear()

    def relay(self, fresh: News) -> list[Effect]:
        """The same bytes to everybody but the authors; to an author, what the others wrote."""
        effects: list[Effect] = []
        for dialect, members in self._by_dialect():
            if len(fresh) == 1:
                ((author, update),) = fresh
                audience = [member for member in members if member is not author]
                if audience:
                    effects.append(Relay(audience, self._framed(dialect, author, update)))
                continue
            framed = [(author, self._framed(dialect, author, update)) for author, update in fresh]
            authors = {author for author, _ in fresh if author is not None}
            audience = [member for member in members if member not in authors]
            if audience:
                effects.append(Relay(audience, b"".join([frame for _, frame in framed])))
            if len(framed) > 1:
                for member in [member for member in members if member in authors]:
                    others = b"".join([frame for author, frame in framed if author is not member])
                    if others:
                        effects.append(Relay((member,), others))
        return effects

    def spread(self, entries: bytes) -> list[Effect]:
        """An awareness payload for everybody."""
        return [Spread(members, dialect.presence(entries)) for dialect, members in self._by_dialect()]

    def say(self, author: Member | None, payload: str) -> list[Effect]:
        """A stateless message for everybody else whose dialect has such."""
        told = [(dialect.stateless(payload), members) for dialect, members in self._by_dialect()]
        return [
            Spread([to for to in members if to is not author], frame, everybody=False)
            for frame, members in told
            if frame
        ]

    def _framed(self, dialect: Dialect, author: Member | None, update: bytes) -> bytes:
        """An edit for the others. Deletions and answers may be the very bytes that one of them has sent as well: told
        as an Update they would read as the acknowledgement of what is not committed yet."""
        if author is not None and (update[:1] == b"\0" or update in self._answers):
            return dialect.step2(update)
        return dialect.update(update)

    def _by_dialect(self) -> list[tuple[Dialect, list[Member]]]:
        """The members that follow, by dialect."""
        if self._groups is None:
            groups: dict[Dialect, list[Member]] = {}
            for member in self.members:
                if member.follows:
                    groups.setdefault(member.dialect, []).append(member)
            self._groups = list(groups.items())
        return self._groups
