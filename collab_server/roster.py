"""Who is present in a room: the newest state of every Yjs client, gathered and told once per presence tick.

A connection may speak only for client ids that it owns; what it says about others is ignored (a stock y-websocket
repeats them) and the connection is kept. The server writes `user` into every state: identity is not the client's to
choose.
Clocks are numbered anew on the way out, so that a client that comes back with an old clock is seen at once.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from collab_server.gate.awareness import Entry, encode
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.values import JSON
from collab_server.member import Member
from studio.roles import Action, Role, may

AHEAD: Final = 32
"""Whoever comes along from another node may hold a clock that much higher than we know: a second of cursor moves."""


OWN_CLOCK_MAX: Final = 2**30
"""No client counts so far. What is told is counted on from there, and has to stay below what everybody can read."""

TOLD_TIMES: Final = 8
"""A state is told in so many times its bytes at most: in ASCII, with numbers written out and `user` in it."""

REPEATED_MAX: Final = 20_000
"""Entries of a client's message: a stock y-websocket repeats everybody of whom it was told at once."""

WRITERS: Final = frozenset(role.value for role in Role if may(role, Action.WRITE))


@dataclass(slots=True)
class Presence:
    """One client's newest state; `owner` is a member of this node or the id of another node."""

    owner: Member | UUID
    heard_clock: int
    told_clock: int
    state: str | None
    heard_at: float


class Roster:
    """The presence of one room. Times are seconds of any monotonic clock."""

    def __init__(
        self, ids_per_connection_max: int, reserved: frozenset[int] = frozenset(), state_bytes_max: int = 4096
    ) -> None:
        """`reserved`: client ids of the server's own, for which no client speaks."""
        self._state_bytes_max = state_bytes_max
        self._ids_max = ids_per_connection_max
        self._reserved = reserved
        self._present: dict[int, Presence] = {}
        self._told: dict[int, int] = {}
        self._changed: set[int] = set()

    def hear(self, member: Member, entries: Iterable[Entry], bound: Mapping[int, UUID], now: float) -> bool:
        """Take what a member says of itself; True if there is something to tell. `bound`: who owns which client id.

        Raises Malformed or TooLarge for what it may not say of itself; what it repeats about others is ignored.
        """
        heard = False
        for client, clock, state in entries:
            if client in self._reserved or bound.get(client, member.user_id) != member.user_id:
                continue
            known = self._present.get(client)
            if known is None:
                if state is None or self._owned(member) >= self._ids_max:
                    continue
            elif (known.owner is not member and not self._is_return(known, member)) or (
                known.owner is member and not (clock > known.heard_clock or (state is None and known.state is not None))
            ):
                continue
            if clock > OWN_CLOCK_MAX or self._too_large(state):
                if known is None and client in self._told:
                    continue  # a stock client repeats what it was told of somebody who is gone
                late = clock > OWN_CLOCK_MAX
                raise (
                    Malformed("presence clock") if late else TooLarge("presence_entry_bytes_max", self._state_bytes_max)
                )
            if known is not None and not isinstance(known.owner, Member):
                self._told[client] = known.told_clock + AHEAD  # what the other node has told since we heard of it
            self._set(client, member, clock, None if state is None else stamp(state, member), now)
            heard = True
        return heard

    def hear_node(self, node: UUID, entries: Iterable[Entry], now: float) -> bool:
        """Take what another node says of its members; its states are stamped already."""
        heard = False
        for client, clock, state in entries:
            known = self._present.get(client)
            if known is None and state is None:
                continue
            if known is not None and isinstance(known.owner, Member) and known.state is not None:
                continue  # this node's own member is never overruled from afar
            if known is not None and known.owner == node and clock < known.heard_clock:
                continue
            self._set(client, node, clock, state, now)
            heard = True
        return heard

    def author(self, client: int) -> str:
        """Whose client id it is as far as presence tells, if that person may write; "" otherwise. Readers claim none:
        they could keep those out who come back."""
        known = self._present.get(client)
        person, writes = _person(known) if known is not None else ("", False)
        return person if writes else ""

    def restamp(self, member: Member) -> bool:
        """Write a member's changed identity or role into its states."""
        mine = [(client, p) for client, p in self._present.items() if p.owner is member and p.state is not None]
        for client, presence in mine:
            presence.state = stamp(presence.state or "{}", member)
            presence.told_clock = self._next_clock(client, presence.heard_clock)
            self._changed.add(client)
        return bool(mine)

    def leave(self, owner: Member | UUID) -> bool:
        """A member left, or a whole node: their clients are gone."""
        gone = [
            client for client, presence in self._present.items() if presence.owner is owner or presence.owner == owner
        ]
        for client in gone:
            presence = self._present[client]
            presence.state = None
            presence.told_clock = self._next_clock(client, presence.heard_clock)
        self._changed.update(gone)
        return bool(gone)

    def expire(self, before: float) -> bool:
        """Forget who has not been heard since `before`."""
        gone = [client for client, presence in self._present.items() if presence.heard_at < before]
        for client in gone:
            presence = self._present[client]
            presence.state = None
            presence.told_clock = self._next_clock(client, presence.heard_clock)
        self._changed.update(gone)
        return bool(gone)

    def heard_first(self) -> float:
        """When whoever has been silent for longest was heard: infinity while nobody is present."""
        return min((presence.heard_at for presence in self._present.values()), default=math.inf)

    def gather(self) -> tuple[bytes, bytes]:
        """All that changed since the last time, and the part of it that this node's members said; b"" for nothing."""
        changed = [(client, self._present[client]) for client in self._changed if client in self._present]
        self._changed.clear()
        everybody = [Entry(client, p.told_clock, p.state) for client, p in changed]
        ours = [Entry(client, p.told_clock, p.state) for client, p in changed if isinstance(p.owner, Member)]
        for client, presence in changed:
            if presence.state is None:
                del self._present[client]
        told = encode(everybody) if everybody else b""
        if len(ours) == len(everybody):  # one node has most rooms to itself
            return told, told
        return told, encode(ours) if ours else b""

    def snapshot(self, *, ours_only: bool = False) -> bytes:
        """Everybody who is present now, for a newcomer (or for another node); b"" for nobody."""
        entries = [
            Entry(client, p.told_clock, p.state)
            for client, p in self._present.items()
            if p.state is not None and (isinstance(p.owner, Member) or not ours_only)
        ]
        return encode(entries) if entries else b""

    def __len__(self) -> int:
        return len(self._present)

    def _too_large(self, state: str | None) -> bool:
        return state is not None and (len(state) if state.isascii() else len(state.encode())) > self._state_bytes_max

    def _set(self, client: int, owner: Member | UUID, clock: int, state: str | None, now: float) -> None:
        told = self._next_clock(client, clock)
        self._present[client] = Presence(owner, clock, told, state, now)
        self._changed.add(client)

    def _next_clock(self, client: int, heard: int) -> int:
        told = max(heard, self._told.get(client, -1) + 1)
        if len(self._told) > 4096 and client not in self._told:
            self._told = {c: t for c, t in self._told.items() if c in self._present}
        self._told[client] = told
        return told

    def _owned(self, member: Member) -> int:
        return sum(1 for presence in self._present.values() if presence.owner is member)

    @staticmethod
    def _is_return(known: Presence, member: Member) -> bool:
        """The same person on a new connection takes over from the one that is about to be found dead, here or on
        another node. Nobody else does, even where the id is not yet bound to whoever writes with it first."""
        return _person(known)[0] == str(member.user_id)


def _person(presence: Presence) -> tuple[str, bool]:
    """Whose presence it is, "" if it is nobody's, and whether that person may write: as another node has stamped it."""
    if isinstance(presence.owner, Member):
        return str(presence.owner.user_id), presence.owner.writes
    user = JSON.decode(presence.state or "{}").get("user")
    return (str(user.get("id", "")), user.get("role") in WRITERS) if isinstance(user, dict) else ("", False)


def stamp(state: str, member: Member) -> str:
    """The state with `user` as the server knows it. ASCII JSON, so that every client library can read it."""
    return member.stamp.on(state)
