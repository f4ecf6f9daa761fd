"""Close codes: why a connection ends, and whether coming back helps.

y-websocket (3.1 and later) treats 4400-4499 as permanent and retries everything else.
"""

from enum import IntEnum


class CloseCode(IntEnum):
    """RFC 6455 codes and ours; 4400-4499 are permanent refusals, 4500-4599, 1012 and 1013 mean "come back"."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013

    MALFORMED = 4400
    TICKET = 4401
    NOT_ALLOWED = 4403
    NO_SUCH_PROJECT = 4404
    AUTH_TIMEOUT = 4408
    EPOCH_CHANGED = 4409
    TOO_LARGE = 4413
    RATE = 4429

    LOAD_FAILED = 4500
    DRAINING = 4503
    SLOW_READER = 4513
