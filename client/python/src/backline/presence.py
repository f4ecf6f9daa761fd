"""Who is here and what they show: cursors and the like, which live as long as the connection and are never stored."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from backline.errors import InvalidValue
from backline.frames import Entry

STATE_BYTES_MAX: Final = 3500
"""The server takes 4 KiB, with the identity it writes into each state itself."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's open window on the project. Name, colour and role are the server's word, `state` is their own.

    `client` tells two windows of one person apart; `id` is the user's.
    """

    client: int
    id: str
    name: str
    color: str
    role: str
    state: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), compare=False)


class People:
    """Everybody's newest state, and who was who."""

    def __init__(self, client: int) -> None:
        self.client = client
        self._clocks: dict[int, int] = {}
        self._here: dict[int, Person] = {}
        self._known: dict[int, Person] = {}
        self._mine: dict[str, object] = {}
        self._clock = 0

    @property
    def others(self) -> list[Person]:
        """Everybody else, by client id."""
        return [person for client, person in sorted(self._here.items()) if client != self.client]

    @property
    def me(self) -> Person | None:
        """Ourselves as the server sees us; None while it has not said so."""
        return self._known.get(self.client)

    def who(self, clients: Iterable[int]) -> Person | None:
        """Whose work it was, if all these clients are one person whom we have heard of."""
        found = [self._known.get(client) for client in clients]
        first = found[0] if found else None
        return first if all(person is not None and first and person.id == first.id for person in found) else None

    def show(self, state: Mapping[str, object]) -> None:
        """Change what we show; None takes a key away. Raises InvalidValue for what is no JSON or too large."""
        mine = {key: value for key, value in {**self._mine, **state}.items() if value is not None}
        try:
            size = len(json.dumps(mine, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise InvalidValue("presence", state, str(error)) from None
        if size > STATE_BYTES_MAX:
            raise InvalidValue("presence", state, f"it has {size} bytes as JSON; {STATE_BYTES_MAX} are allowed")
        self._mine = mine

    def mine(self) -> Entry:
        """What to say of ourselves now; each call is newer than the one before."""
        self._clock += 1
        return Entry(self.client, self._clock, {**self._mine})

    def farewell(self) -> Entry:
        """What to say when leaving."""
        return self.mine()._replace(state=None)

    def heard(self, entries: Iterable[Entry]) -> bool:
        """Somebody shows something else, or is gone. True if it is said that we are gone: we count on from there, and
        have to say again that we are here."""
        gone = False
        for entry in entries:
            if entry.client == self.client:
                gone |= entry.state is None and entry.clock >= self._clock
                self._clock = max(self._clock, entry.clock)
            known = self._clocks.get(entry.client, -1)
            if entry.clock < known or (entry.clock == known and entry.state is not None):
                continue
            self._clocks[entry.client] = entry.clock
            self._take(entry)
        return gone

    def disconnected(self) -> None:
        """Nobody can be seen; who was who is remembered."""
        self._here.clear()
        self._clocks.clear()

    def _take(self, entry: Entry) -> None:
        person = None if entry.state is None else _person(entry.client, entry.state)
        if person is None:
            self._here.pop(entry.client, None)
        else:
            self._here[entry.client] = self._known[entry.client] = person


def _person(client: int, state: Mapping[str, object]) -> Person | None:
    user = state.get("user")
    if not isinstance(user, dict):
        return None
    id, name, color, role = (str(user.get(key) or "") for key in ("id", "name", "color", "role"))
    rest = {key: value for key, value in state.items() if key != "user"}
    return Person(client, id, name, color, role, MappingProxyType(rest))
