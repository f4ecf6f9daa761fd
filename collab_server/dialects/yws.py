"""The dialect of y-websocket clients (1.5 to 4): plain y-protocols messages, the room in the URL."""

from collab_server import wire
from collab_server.frames import binary


class YWebsocket:
    """Stateless, so one instance serves every connection of this dialect."""

    __slots__ = ()

    def step1(self, vector: bytes) -> bytes:
        """y-protocols SyncStep1."""
        return binary(wire.encode_step1(vector))

    def step2(self, update: bytes) -> bytes:
        """y-protocols SyncStep2."""
        return binary(wire.encode_step2(update))

    def update(self, update: bytes) -> bytes:
        """y-protocols Update."""
        length = len(update)
        if length < 120:  # the everyday edit: both lengths are a byte
            return bytes((0x82, length + 3, 0, 2, length)) + update
        return binary(wire.encode_update(update))

    def presence(self, entries: bytes) -> bytes:
        """y-protocols awareness message."""
        return binary(wire.encode_awareness(entries))

    def denied(self, reason: str) -> bytes:
        """y-protocols auth message: permission denied. The client warns and stays connected."""
        return binary(wire.encode_denied(reason))
