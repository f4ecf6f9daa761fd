"""What can go wrong on this floor.

VoiceError
├── Unavailable     the provider cannot be reached, is too slow, or failed: the same call may succeed later
├── Misconfigured   the provider does not accept our keys: an operator has to look at them
├── NotThere        no such room, or nobody of this identity in it
└── BadWebhook      not from the provider, not for us, or not a webhook
"""


class VoiceError(Exception):
    """Base of this floor's errors."""


class Unavailable(VoiceError):
    """The provider gave no answer, or one that says it failed."""

    def __init__(self, provider: str, reason: str) -> None:
        self.provider = provider
        self.reason = reason
        super().__init__(provider, reason)

    def __str__(self) -> str:
        return f"{self.provider} is not available: {self.reason}"


class Misconfigured(VoiceError):
    """The provider refuses what we are; `reason` is its own word and names no key."""

    def __init__(self, provider: str, reason: str) -> None:
        self.provider = provider
        self.reason = reason
        super().__init__(provider, reason)

    def __str__(self) -> str:
        return f"{self.provider} does not accept our keys: {self.reason}"


class NotThere(VoiceError):
    """Who or what the call was about is not there (any more)."""

    def __init__(self, room: str, identity: str = "") -> None:
        self.room = room
        self.identity = identity
        super().__init__(room, identity)


class BadWebhook(VoiceError):
    """Nobody should act on this; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return self.reason
