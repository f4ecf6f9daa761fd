"""The dialect of Hocuspocus providers (2 to 4): every message carries the address of its document.

An address is the document's name, with sessionAwareness followed by NUL and the session's id. Message: varstring
address, varuint type, payload; sync and awareness payloads are those of y-protocols.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from collab_server import frames, wire
from collab_server.deflate import deflate
from collab_server.frames import PING, binary
from collab_server.gate.awareness import EMPTY_PRESENCE
from studio.roles import Action, Role, may

SYNC, AWARENESS, AUTH, QUERY_AWARENESS, SYNC_REPLY, STATELESS, BROADCAST_STATELESS, CLOSE, SYNC_STATUS = range(9)
PERMISSION_DENIED, AUTHENTICATED = 1, 2

PONG: Final = b"\x0a"
"""A whole frame without address. We never send the ping: providers before 4 crash on it."""

SESSION: Final = "\0"


@dataclass(frozen=True, slots=True)
class Hocuspocus:
    """One address; equal addresses are equal dialects."""

    address: str
    _prefix: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prefix", wire.write_varstring(self.address))

    @property
    def shared(self) -> bool:
        """The project's id alone is what everybody says; with a session, or in another spelling, an address belongs
        to one connection."""
        try:
            return str(UUID(self.address)) == self.address
        except ValueError:
            return False

    asks_back = True

    def welcome(self, role: Role) -> bytes:
        """Authenticated, with the scope."""
        scope = "read-write" if may(role, Action.WRITE) else "readonly"
        return self._message(bytes((AUTH, AUTHENTICATED)) + wire.write_varstring(scope))

    def refused(self, reason: str) -> bytes:
        """Permission denied: the provider tells its user and sends nothing more for this document."""
        return self._message(bytes((AUTH, PERMISSION_DENIED)) + wire.write_varstring(reason))

    def closed(self, reason: str) -> bytes:
        """The server has left this document; the socket stays."""
        return self._message(bytes((CLOSE,)) + wire.write_varstring(reason))

    def step1(self, vector: bytes) -> bytes:
        """y-protocols SyncStep1. The provider counts one SyncStatus for it, so it is sent once for each of its own."""
        return self._message(wire.encode_step1(vector))

    def step2(self, update: bytes, *, deflated: bool = False) -> bytes:
        """y-protocols SyncStep2."""
        message = (self._prefix, *wire.step2_parts(update))
        return frames.deflated(deflate(*message)) if deflated else binary(*message)

    def update(self, update: bytes) -> bytes:
        """y-protocols Update."""
        return self._message(wire.encode_update(update))

    def saved(self, updates: Sequence[bytes]) -> bytes:
        """One SyncStatus(1) for every Step2 and Update: the provider counts down what is unsynced."""
        return self._message(bytes((SYNC_STATUS, 1))) * len(updates)

    def nothing_new(self) -> bytes:
        """SyncStatus(1): it counts like any other."""
        return self.saved((wire.EMPTY_UPDATE,))

    def presence(self, entries: bytes) -> bytes:
        """y-protocols awareness message."""
        return self._message(wire.encode_awareness(entries))

    def keep_alive(self) -> bytes:
        """Nobody's presence, and a ping."""
        return self.presence(EMPTY_PRESENCE) + PING

    def denied(self, reason: str) -> bytes:
        """SyncStatus(0): not synced, and it will not be."""
        return self._message(bytes((SYNC_STATUS, 0)))

    def undone(self, reason: str) -> bytes:
        """A stateless message: what was counted as unsynced is synced."""
        return self.stateless(json.dumps({"t": "undone", "reason": reason}))

    def stateless(self, payload: str) -> bytes:
        """What another provider said."""
        return self._message(bytes((STATELESS,)) + wire.write_varstring(payload))

    def _message(self, body: bytes) -> bytes:
        return binary(self._prefix + body)
