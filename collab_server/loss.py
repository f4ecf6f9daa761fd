"""Was work lost here that had been told to others?"""

from enum import Enum


class Loss(Enum):
    """What is known of it. People may bring back the lost work of others only when something was lost."""

    UNKNOWN = "unknown"
    HAPPENED = "happened"
    EXCLUDED = "excluded"
