"""What one client knows of the others, exactly as y-protocols' Awareness keeps it (1.0.7)."""

from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.limits import Limits

OUTDATED_SECONDS = 30.0
GENEROUS = Limits(presence_state_bytes_max=1 << 20)


class Crowd:
    """Presence by client id. `states` holds those who are here, `clocks` everybody ever heard of, with the time."""

    def __init__(self, own: int) -> None:
        self.own = own
        self.states: dict[int, str] = {}
        self.clocks: dict[int, tuple[int, float]] = {own: (0, 0.0)}

    def show(self, state: str | None, now: float) -> bytes:
        """Show something of oneself (None: be gone): what is to be told."""
        clock = self.clocks[self.own][0] + 1
        self.clocks[self.own] = clock, now
        if state is None:
            self.states.pop(self.own, None)
        else:
            self.states[self.own] = state
        return encode([Entry(self.own, clock, state)])

    def hear(self, payload: bytes, now: float) -> bool:
        """Somebody's presence; True when one has to say again that one is here."""
        wrong = False
        for client, clock, state in decode(payload, GENEROUS):
            known = self.clocks.get(client, (0, 0.0))[0]
            if not (known < clock or (known == clock and state is None and client in self.states)):
                continue
            if state is not None:
                self.states[client] = state
            elif client == self.own and client in self.states:
                wrong = True
                clock += 1  # noqa: PLW2901 - as y-protocols does
            else:
                self.states.pop(client, None)
            self.clocks[client] = clock, now
        return wrong

    def expire(self, now: float) -> None:
        """Forget who has been silent for too long."""
        for client in list(self.states):
            if client != self.own and now - self.clocks[client][1] >= OUTDATED_SECONDS:
                del self.states[client]

    def alone(self) -> None:
        """The connection is lost: y-websocket forgets the others, but not their clocks."""
        self.states = {client: state for client, state in self.states.items() if client == self.own}
