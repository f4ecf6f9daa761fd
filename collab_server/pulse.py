"""Whether the other end of a connection lives, and whether it hears that this end does."""

from collab_server.line import Line
from collab_server.settings import CollabSettings

EARLY_SECONDS = 1.0
"""So much earlier than promised something is said: looks are by the second."""
DOUBTFUL_SECONDS = 5.0
"""After the last question to somebody who has been silent for long."""
MISSED_MAX = 2


class Pulse:
    """Of one connection. Times are seconds of any monotonic clock."""

    __slots__ = ("_frames", "_heard_at", "_missed", "_settings", "_spoke_at", "_stuck")

    def __init__(self, settings: CollabSettings) -> None:
        self._settings = settings
        self._frames = -1
        self._heard_at = 0.0
        """When a look found that something had come."""
        self._spoke_at = 0.0
        """When a look had something to say; if much waits to be written, that is heard instead."""
        self._missed = 0
        self._stuck = 0
        """How much waited to be written when it was last found to be silent."""

    def wait(self, now: float) -> float:
        """It can't be heard yet, nor spoken to. When to look."""
        self._frames, self._missed = -1, 0
        return now + self._settings.look_seconds

    def look(self, line: Line, keep_alive: bytes, spoken_at: float, now: float) -> float | None:
        """Say `keep_alive` (a message for a client's watchdog, and a ping) if that is due: if the other end is silent,
        or the room has not spoken to it since `spoken_at`. When to look again; None if nobody is there any more."""
        if line.frames != self._frames or line.paused:  # who is not listened to is not silent
            self._frames, self._heard_at, self._missed = line.frames, now, 0
        settings = self._settings
        silent = now - self._heard_at >= settings.ping_seconds - EARLY_SECONDS
        last = max(spoken_at, self._spoke_at)
        if silent or now - last >= settings.keepalive_seconds - EARLY_SECONDS:
            before, self._stuck = self._stuck, line.buffered()
            if silent and self._missed >= MISSED_MAX and self._stuck >= before:
                return None  # a slow line is no dead one: it would still take what is written to it
            if not self._stuck:
                line.write(keep_alive)
            last = self._spoke_at = now
        speak_at = last + settings.keepalive_seconds - EARLY_SECONDS
        if not silent:
            return min(speak_at, self._heard_at + settings.ping_seconds - EARLY_SECONDS)
        self._missed += 1
        return min(speak_at, now + (settings.ping_seconds / 2 if self._missed == 1 else DOUBTFUL_SECONDS))
