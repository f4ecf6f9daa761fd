"""How much of one connection is heard: its rate, with bursts, and its turn among the others."""

from collab_server.settings import Limits

TURN_SECONDS = 0.01
TURN_WORK = 400
"""What one connection may cost in a turn before the others have theirs, in messages like the everyday edit."""
MESSAGE_SECONDS = 5e-6
"""What the everyday edit costs. Other messages count by the time they took, in multiples of this."""
MESSAGE_WORK_MAX = 20_000


def price(seconds: float) -> int:
    """What has taken this long counts like so many everyday edits."""
    return min(MESSAGE_WORK_MAX, int(seconds / MESSAGE_SECONDS))


class Allowance:
    """Of messages and bytes, filled up every second; and of work, in messages, for every turn."""

    __slots__ = ("_bytes_left", "_limits", "_messages_left", "_turn_ends", "_turn_left")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._messages_left = limits.messages_burst_max
        self._bytes_left = limits.bytes_burst_max
        self._turn_ends = 0.0
        self._turn_left = 0

    @property
    def used_up(self) -> bool:
        """Whether the rate allows nothing more until it is filled up."""
        return self._messages_left <= 0 or self._bytes_left <= 0

    def has_turn(self, now: float) -> bool:
        """Whether another message may be heard now, in seconds of the event loop."""
        if now >= self._turn_ends:
            self._turn_ends = now + TURN_SECONDS
            self._turn_left = TURN_WORK
        return self._turn_left > 0 and self._messages_left > 0 and self._bytes_left > 0

    def hears(self, size: int, now: float) -> bool:
        """`spend` for one message of so many bytes, and `has_turn`: in one step, as every message takes it."""
        self._messages_left -= 1
        self._bytes_left -= size
        if now >= self._turn_ends:
            self._turn_ends = now + TURN_SECONDS
            self._turn_left = TURN_WORK
        return self._turn_left > 0 and self._messages_left > 0 and self._bytes_left > 0

    def spend(self, messages: int, size: int) -> None:
        """So much of the rate is used."""
        self._messages_left -= messages
        self._bytes_left -= size

    def work(self, messages: int) -> None:
        """So much of the turn is used."""
        self._turn_left -= messages

    def heard(self, seconds: float) -> bool:
        """A message was heard in this time: it counts in the turn, and its time as so many messages more in the turn
        and in the rate. Whether that is used up."""
        messages = price(seconds)
        self._turn_left -= 1 + messages
        self._messages_left -= messages
        return self._messages_left <= 0 or self._bytes_left <= 0

    def refill(self) -> bool:
        """A second has passed: the rate is as new, up to the burst. Whether something of that is still missing."""
        limits = self._limits
        self._messages_left = min(limits.messages_burst_max, self._messages_left + limits.messages_per_second_max)
        self._bytes_left = min(limits.bytes_burst_max, self._bytes_left + limits.bytes_per_second_max)
        return self._messages_left < limits.messages_burst_max or self._bytes_left < limits.bytes_burst_max
