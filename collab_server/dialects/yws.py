"""The dialect of y-websocket clients (1.5 to 4): plain y-protocols messages, the room in the URL."""

from collections.abc import Sequence
from typing import Final

from collab_server import frames, wire
from collab_server.deflate import deflate
from collab_server.frames import PING, binary
from collab_server.gate.awareness import EMPTY_PRESENCE
from studio.roles import Role

KEEP_ALIVE: Final = binary(wire.encode_awareness(EMPTY_PRESENCE)) + PING


class YWebsocket:
    """Stateless, so one instance serves every connection of this dialect."""

    __slots__ = ()

    shared = True
    asks_back = False

    def welcome(self, role: Role) -> bytes:
        """These clients learn of a role when they are denied."""
        return b""

    def step1(self, vector: bytes) -> bytes:
        """y-protocols SyncStep1."""
        return binary(wire.encode_step1(vector))

    def step2(self, update: bytes, *, deflated: bool = False) -> bytes:
        """y-protocols SyncStep2."""
        message = wire.step2_parts(update)
        return frames.deflated(deflate(*message)) if deflated else binary(*message)

    def update(self, update: bytes) -> bytes:
        """y-protocols Update."""
        length = len(update)
        if length < 120:  # the everyday edit: both lengths are a byte
            return bytes((0x82, length + 3, 0, 2, length)) + update
        return binary(wire.encode_update(update))

    def saved(self, updates: Sequence[bytes]) -> bytes:
        """The echo of what is saved: byte for byte, newer clients count it, older ones ignore it."""
        return b"".join(map(self.update, updates))

    def nothing_new(self) -> bytes:
        """These clients do not wait for one."""
        return b""

    def presence(self, entries: bytes) -> bytes:
        """y-protocols awareness message."""
        return binary(wire.encode_awareness(entries))

    def keep_alive(self) -> bytes:
        """Nobody's presence, and a ping."""
        return KEEP_ALIVE

    def denied(self, reason: str) -> bytes:
        """y-protocols auth message: permission denied. The client warns and stays connected."""
        return binary(wire.encode_denied(reason))

    def undone(self, reason: str) -> bytes:
        """As `denied`: there is no other word; the reason tells."""
        return self.denied(reason)

    def stateless(self, payload: str) -> bytes:
        """These clients have no such messages."""
        return b""
