"""What keeps a load test from being run, in one sentence each."""


class LoadtestError(Exception):
    """The test cannot be run."""


class BadUsage(LoadtestError):
    """The command line asks for something that does not fit together."""


class Unreachable(LoadtestError):
    """The server does not answer, or not as it should."""


class Refused(Exception):
    """The server would not let a person in: `code` is a close code, an HTTP status, or 0 when nobody answered."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip() if code else reason)
        self.code, self.reason = code, reason
