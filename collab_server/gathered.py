"""Edits between two ticks: runs of one member's consecutive updates, in order of arrival."""

from collections.abc import Sequence

from collab_server.express import Everyday, Lane
from collab_server.member import Member
from studio.watch import Touched


class Run:
    """Consecutive updates of one member that are applied together.

    `quiet` updates bring no new structs: duplicates, or deletions only. `sound` ones need no repair. Of a run on an
    express lane, the structs and deletions are kept apart as well, so that the run becomes one update.
    """

    __slots__ = (
        "_clock",
        "_deletes",
        "_last",
        "_structs",
        "absorbed",
        "lane",
        "member",
        "quiet",
        "sound",
        "touched",
        "updates",
    )

    def __init__(self, member: Member, lane: Lane | None = None, *, quiet: bool = False, sound: bool = False) -> None:
        self.member = member
        self.quiet = quiet
        self.sound = sound
        self.updates: list[bytes] = []
        """As they came: what the member is told when they are committed."""
        self.absorbed = 0
        """How many updates of later runs were added."""
        self.lane = lane
        self.touched: dict[Touched, None] = {}
        """The fields that a sound run sets, in order of arrival."""
        self._last: Touched | None = None
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
        touched = everyday.touched
        if touched is not None and touched is not self._last:
            self._last = touched
            self.touched[touched] = None

    def absorb(self, later: "Run") -> None:
        """Add a later run of the same lane, which follows this one, to what `joined` gives."""
        self._structs += later._structs
        self._deletes += later._deletes
        self.touched |= later.touched
        self.absorbed += len(later.updates)

    def joined(self) -> list[bytes]:
        """What is applied, committed and told: one update for everyday ones, else the updates as they came."""
        if self.lane is None or len(self._structs) == 1:
            return self.updates
        return [self.lane.join(self._clock, self._structs, self._deletes)]


class Inbox:
    """What waits for the next tick."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def __bool__(self) -> bool:
        return bool(self._runs)

    @property
    def runs(self) -> Sequence[Run]:
        """In order of arrival."""
        return self._runs

    def updates(self) -> list[bytes]:
        """As they came."""
        return [update for run in self._runs for update in run.updates]

    def take(self) -> list[Run]:
        """Hand over everything and start empty."""
        runs, self._runs = self._runs, []
        return runs

    def add(self, member: Member, update: bytes, *, quiet: bool) -> bool:
        """One that took the gate's way; True if it is the first since `take`."""
        first = not self._runs
        self._run(member, None, quiet=quiet, sound=False).updates.append(update)
        return first

    def add_everyday(self, member: Member, update: bytes, everyday: Everyday) -> bool:
        """One that came by its member's lane; True if it is the first since `take`."""
        first = not self._runs
        run = self._run(member, member.lane, quiet=False, sound=everyday.touched is not None)
        run.updates.append(update)
        run.express(everyday)
        return first

    def _run(self, member: Member, lane: Lane | None, *, quiet: bool, sound: bool) -> Run:
        """Where another update of `member` belongs."""
        if self._runs:
            last = self._runs[-1]
            if last.member is member and last.lane is lane and last.quiet == quiet and last.sound == sound:
                return last
        run = Run(member, lane, quiet=quiet, sound=sound)
        self._runs.append(run)
        return run
