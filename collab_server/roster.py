"""Who is present in a room: the newest state of every Yjs client, gathered and told once per presence tick.

A connection may speak only for client ids that it owns; what it says about others is ignored (a stock y-websocket
repeats them) and the connection is kept. The server writes `user` into every state: identity is not the client's to
choose.
The client alone numbers its states, so that a number means the same on every node. One that comes back with an old
clock is counted on for, so that it is seen at once, and is told its own removal there: as every client of y-protocols
it then says its state again above that. Without this, those who have been told the higher number would not see it on
another node, and it would take its own old state, told back to it, for a newer one.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from uuid import UUID

from collab_server.gate.awareness import Entry, encode
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.values import JSON
from collab_server.member import Member
from studio.roles import Action, Role, may

AHEAD: Final = 32
"""A client is asked to count on from so far beyond what was told of it: it may move for a second meanwhile."""

OWN_CLOCK_MAX: Final = 2**30
"""No client counts so far. What is told is counted on from there, and has to stay below what everybody can read."""

COUNTED_ON_MAX: Final = OWN_CLOCK_MAX + 2**20
"""Nor whoever was made to count on from there, as somebody else had shown as much under their client id."""

TOLD_TIMES: Final = 8
"""A state is told in so many times its bytes at most: in ASCII, with numbers written out and `user` in it."""

REPEATED_MAX: Final = 20_000
"""Entries of a client's message: a stock y-websocket repeats everybody of whom it was told at once."""

WRITERS: Final = frozenset(role.value for role in Role if may(role, Action.WRITE))


class Heard(IntEnum):
    """What there is to tell: nothing, that somebody is still there as they were, or something else."""

    NOTHING = 0
    RENEWAL = 1
    NEWS = 2


@dataclass(slots=True)
class Presence:
    """One client's newest state; `owner` is a member of this node or the id of another node.

    `told_clock` is above `heard_clock` while a member of this node has yet to count on from there.
    """

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
        self._behind: set[int] = set()
        """Of these, more was told than their clients have counted so far, here or by the node that they are with."""

    def hear(self, member: Member, entries: Collection[Entry], bound: Mapping[int, UUID], now: float) -> Heard:
        """Take what a member says of itself. `bound`: who owns which client id.

        Raises Malformed or TooLarge for what it may not say of itself; what it repeats about others is ignored.
        """
        heard = Heard.NOTHING
        if len(entries) > 1:  # the last word of each counts: clocks are not driven up by one message
            entries = {entry.client: entry for entry in entries}.values()
        for client, clock, state in entries:
            author = bound.get(client, member.user_id)
            if client in self._reserved or (author is not member.user_id and author != member.user_id):
                continue
            known = self._present.get(client)
            if known is None:
                if state is None or self._owned(member) >= self._ids_max:
                    continue
            elif known.owner is member:
                if clock <= known.heard_clock and (state is not None or known.state is None):
                    continue
            elif not _takes_over(known, member, clock, state):
                continue
            told = self._told.get(client, 0)
            late = clock > OWN_CLOCK_MAX and clock > min(told + 2 * AHEAD, COUNTED_ON_MAX)
            if late or self._too_large(state):
                if known is None and client in self._told:
                    continue  # a stock client repeats what it was told of somebody who is gone
                if late and told > OWN_CLOCK_MAX:
                    continue  # somebody else may have driven it up there
                raise (
                    Malformed("presence clock") if late else TooLarge("presence_entry_bytes_max", self._state_bytes_max)
                )
            heard = max(heard, self._set(client, member, clock, None if state is None else stamp(state, member), now))
        return heard

    def hear_node(self, node: UUID, entries: Iterable[Entry], now: float) -> Heard:
        """Take what another node says of its members; its states are stamped already. A null for a member of this node
        says how much that node has told of it."""
        heard = Heard.NOTHING
        for client, clock, state in entries:
            known = self._present.get(client)
            if known is not None and isinstance(known.owner, Member) and known.state is not None:
                # This node's own member is never overruled from afar.
                if state is None and self._count_on(client, known, clock):
                    heard = Heard.NEWS
            elif _is_news(known, node, clock, state):
                heard = max(heard, self._set(client, node, clock, state, now))
        return heard

    def person(self, client: int) -> str:
        """Who is present under a client id, "" for nobody."""
        known = self._present.get(client)
        return _person(known)[0] if known is not None else ""

    def author(self, client: int) -> str:
        """Whose client id it is as far as presence tells, if that person may write; "" otherwise. Readers claim none:
        they could keep those out who come back."""
        known = self._present.get(client)
        person, writes = _person(known) if known is not None else ("", False)
        return person if writes else ""

    def told(self, client: int) -> int:
        """The highest clock under which anything was told of a client lately; -1 for none."""
        return self._told.get(client, -1)

    def restamp(self, member: Member) -> bool:
        """Write a member's changed identity or role into its states."""
        mine = [(client, p) for client, p in self._present.items() if p.owner is member and p.state is not None]
        for client, presence in mine:
            presence.state = stamp(presence.state or "{}", member)
            if presence.told_clock > presence.heard_clock:  # one more, and a client that has moved on would believe it
                self._behind.add(client)
                continue
            presence.told_clock += 1
            self._tell(client, presence.told_clock)
            self._changed.add(client)
        return bool(mine)

    def leave(self, owner: Member | UUID) -> bool:
        """A member left, or a whole node: their clients are gone."""
        gone = [
            client for client, presence in self._present.items() if presence.owner is owner or presence.owner == owner
        ]
        return self._end(gone)

    def expire(self, before: float) -> bool:
        """Forget who has not been heard since `before`."""
        gone = [client for client, presence in self._present.items() if presence.heard_at < before]
        return self._end(gone)

    def heard_first(self) -> float:
        """When whoever has been silent for longest was heard: infinity while nobody is present."""
        return min((presence.heard_at for presence in self._present.values()), default=math.inf)

    def behind(self) -> list[tuple[Member, bytes]]:
        """What makes this node's members count on who count less than was told of them; to be told before `gather`."""
        mine = [(client, self._present[client]) for client in self._behind if client in self._present]
        return [
            (p.owner, encode([Entry(client, p.told_clock + AHEAD, None)]))
            for client, p in mine
            if isinstance(p.owner, Member) and p.state is not None and p.heard_clock < p.told_clock
        ]

    def gather(self) -> tuple[bytes, bytes]:
        """All that changed since the last time, and for the other nodes the part of it that this node's members said,
        with nulls for members of theirs of whom more was told here; b"" for nothing."""
        changed = [(client, self._present[client]) for client in self._changed if client in self._present]
        self._changed.clear()
        everybody = [(client, p.told_clock, p.state) for client, p in changed]
        ours = [(client, p.told_clock, p.state) for client, p in changed if isinstance(p.owner, Member)]
        afar = [(client, self._told[client], None) for client in self._behind if self._is_afar(client)]
        self._behind.clear()
        for client, presence in changed:
            if presence.state is None:
                del self._present[client]
        told = encode(everybody) if everybody else b""
        if len(ours) == len(everybody) and not afar:  # one node has most rooms to itself
            return told, told
        return told, encode([*ours, *afar]) if ours or afar else b""

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

    def _set(self, client: int, owner: Member | UUID, clock: int, state: str | None, now: float) -> Heard:
        known, before = self._present.get(client), self._told.get(client, -1)
        renewed = (
            known is not None
            and state is not None
            and state == known.state
            and (owner is known.owner or owner == known.owner)
            and clock >= before == known.told_clock == known.heard_clock
        )
        told = max(clock, before) if state is None else clock
        if state is not None and clock <= before:
            if isinstance(owner, Member):
                told = before + 1
                self._behind.add(client)
            elif known is None or (known.told_clock, known.state) != (before, state):
                self._behind.add(client)
        if known is None:
            self._present[client] = Presence(owner, clock, told, state, now)
        else:
            known.owner, known.state, known.heard_at = owner, state, now
            known.heard_clock, known.told_clock = clock, told
        self._changed.add(client)
        self._tell(client, told)
        return Heard.RENEWAL if renewed else Heard.NEWS

    def _end(self, clients: list[int]) -> bool:
        """These are present no more: True if there are any."""
        for client in clients:
            presence = self._present[client]
            presence.state = None
            presence.told_clock = self._told.get(client, presence.told_clock)
        self._changed.update(clients)
        return bool(clients)

    def _count_on(self, client: int, presence: Presence, clock: int) -> bool:
        """Another node has told this much of a member of this node: whether it is no less than was told here."""
        if clock < presence.told_clock:
            return False
        presence.told_clock = clock + 1
        self._changed.add(client)
        self._behind.add(client)
        self._tell(client, presence.told_clock)
        return True

    def _tell(self, client: int, told: int) -> None:
        if len(self._told) > 4096 and client not in self._told:
            self._told = {c: t for c, t in self._told.items() if c in self._present}
        self._told[client] = max(told, self._told.get(client, -1))

    def _is_afar(self, client: int) -> bool:
        known = self._present.get(client)
        return known is not None and known.state is not None and not isinstance(known.owner, Member)

    def _owned(self, member: Member) -> int:
        return sum(1 for presence in self._present.values() if presence.owner is member)


def _takes_over(known: Presence, member: Member, clock: int, state: str | None) -> bool:
    """Whether the same person on a new connection speaks for a client in place of the one that is about to be found
    dead, here or on another node. Nobody else does, even where the id is not yet bound to whoever writes with it first;
    nor does another tab of that person that only repeats, as a stock client does, what it was told of the first."""
    if _person(known)[0] != str(member.user_id):
        return False
    if isinstance(known.owner, Member) and member.joined < known.owner.joined and clock <= known.told_clock:
        return False  # what was heard late of a connection that is about to be found dead itself
    repeats = state is None or _user(state)[0] == str(member.user_id)
    return known.state is None or clock > known.told_clock or not repeats


def _is_news(known: Presence | None, node: UUID, clock: int, state: str | None) -> bool:
    """Whether a node that says this of a client knows better than whoever told us what is known. A person's states are
    numbered by their client, wherever it is; where it is no more, only the node ends it that told of it last."""
    if known is None:
        return state is not None
    if known.owner == node:
        return clock >= known.heard_clock
    if state is None:
        return False
    return known.state is None or clock >= known.heard_clock or _user(known.state)[0] != _user(state)[0]


def _person(presence: Presence) -> tuple[str, bool]:
    """Whose presence it is, "" if it is nobody's, and whether that person may write: as another node has stamped it."""
    if isinstance(presence.owner, Member):
        return str(presence.owner.user_id), presence.owner.writes
    return _user(presence.state)


def _user(state: str | None) -> tuple[str, bool]:
    user = JSON.decode(state or "{}").get("user")
    return (str(user.get("id", "")), user.get("role") in WRITERS) if isinstance(user, dict) else ("", False)


def stamp(state: str, member: Member) -> str:
    """The state with `user` as the server knows it. ASCII JSON, so that every client library can read it."""
    return member.stamp.on(state)
