"""Edits between two ticks: runs of one member's consecutive updates, in order of arrival."""

from collab_server.express import Everyday, Lane
from collab_server.member import Member


class Run:
    """Consecutive updates of one member that are applied together.

    `quiet` updates bring no new structs: duplicates, or deletions only. `sound` ones need no repair. Of a run on an
    express lane, the structs and deletions are kept apart as well, so that the run becomes one update.
    """

    __slots__ = ("_clock", "_deletes", "_structs", "absorbed", "lane", "member", "quiet", "sound", "updates")

    def __init__(self, member: Member, lane: Lane | None = None, *, quiet: bool = False, sound: bool = False) -> None:
        self.member = member
        self.quiet = quiet
        self.sound = sound
        self.updates: list[bytes] = []
        """As they came: what the member is told when they are committed."""
        self.absorbed = 0
        """How many updates of later runs were added."""
        self.lane = lane
        self._clock = 0
        self._structs: list[bytes] = []
        self._deletes: list[tuple[int, int]] = []

    def express(self, everyday: Everyday) -> None:
        """Add an everyday update, which follows the one before."""
        if not self._structs:
            self._clock = everyday.clock
        self._structs.append(everyday.struct)
        if everyday.deleted is not None:
            self._deletes.append(everyday.deleted)

    def takes(self, member: Member, lane: Lane | None, *, quiet: bool, sound: bool) -> bool:
        """Whether another update of `member` may be added."""
        return self.member is member and self.lane is lane and self.quiet == quiet and self.sound == sound

    def absorb(self, later: "Run") -> None:
        """Add a later run of the same lane, which follows this one, to what `joined` gives."""
        self._structs += later._structs
        self._deletes += later._deletes
        self.absorbed += len(later.updates)

    def joined(self) -> list[bytes]:
        """What is applied, committed and told: one update for everyday ones, else the updates as they came."""
        if self.lane is None or len(self._structs) == 1:
            return self.updates
        return [self.lane.join(self._clock, self._structs, self._deletes)]
