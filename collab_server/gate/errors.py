"""What the gate refuses with.

Refused (ValueError)
├── Malformed   the bytes are not what they claim to be      -> close 4400
└── TooLarge    well formed perhaps, but more than is allowed -> close 4413

StoredMalformed (ValueError): what was admitted before would be refused today; nobody's input is to blame.
"""


class Refused(ValueError):
    """The input must not be used."""


class StoredMalformed(ValueError):
    """The stored document can't be read by the gate."""


class Malformed(Refused):
    """The bytes break the format or a rule of it; `reason` names the rule and never quotes the bytes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(Refused):
    """`what` (a field of Limits) exceeds its `limit`."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} over {limit}")
        self.what = what
        self.limit = limit
