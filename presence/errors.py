"""What can go wrong on this floor.

PresenceError
├── TicketExpired    it was good, but its time is over: ask for another
├── TicketInvalid    forged, for another project, or not a ticket
├── BadEvent         bytes from the bus that are no event of this version
└── BadBusUrl        no bus of that kind
"""


class PresenceError(Exception):
    """Base of this floor's errors."""


class TicketExpired(PresenceError):
    """The ticket's `exp` (seconds since 1970) has passed."""

    def __init__(self, expired_at: float) -> None:
        self.expired_at = expired_at
        super().__init__(expired_at)

    def __str__(self) -> str:
        return "the ticket has expired"


class TicketInvalid(PresenceError):
    """The ticket proves nothing; `reason` is for the log, not for the client."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"invalid ticket: {self.reason}"


class BadEvent(PresenceError):
    """These bytes are no event of this version."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"not an event: {self.reason}"


class BadBusUrl(PresenceError):
    """The scheme is none of redis, rediss, unix, memory."""

    def __init__(self, url: str) -> None:
        self.scheme = url.partition(":")[0]
        super().__init__(self.scheme)

    def __str__(self) -> str:
        return f"no bus of scheme {self.scheme!r}: use redis://, rediss://, unix:// or memory://"
