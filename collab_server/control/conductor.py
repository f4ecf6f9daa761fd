"""The one writer of a project's shared transport: every command in its turn, every id once. Pure; `now` is told.

It exists where the lease is, and ends with it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from collab_server.control.messages import Ask, ack, nack, tempo_json
from studio.tempo import TempoMap, transport
from studio.transport import Loop, Transport, position, tempo_rev
from studio.transport_commands import Moment, decide, restarted, retime, stale

MUSICAL_ROOTS: Final = ("signatures", "tempo", "transport")
"""What of a document the transport depends on."""
ANSWERS_KEPT: Final = 512


class Conductor:
    """Decides. `state` is what everybody has to be told, `tempo` the map that goes with it."""

    def __init__(self, epoch: str, pos: float, document: Mapping[str, Any], now: float) -> None:
        """`document`: the canonical form of MUSICAL_ROOTS; `pos`: where the writer before has stopped."""
        self.tempo = TempoMap.from_canonical(document)
        self._loop = _loop_of(document)
        self._count_in = int(transport(document, "count_in"))
        self._answers: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self.state = restarted(epoch, pos, self._loop, tempo_rev(self.tempo), now)

    def command(self, ask: Ask, moment: Moment) -> dict[str, Any]:
        """Carry a command out, unless it was before or was meant for another state; the answer to it."""
        key = (moment.by or "", ask.id)
        known = self._answers.get(key)
        if known is not None:
            return known
        if stale(self.state, ask.epoch, ask.if_seq):
            return nack(ask.id, "stale", self.state.as_json())
        self.state = decide(self.state, self.tempo, ask.command, moment, self._count_in)
        answer = self._answers[key] = ack(ask.id, self.state)
        if len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        return answer

    def follow(self, document: Mapping[str, Any], moment: Moment) -> bool:
        """The document's tempo, signatures or settings were edited; True if there is something to tell."""
        before, tempo = self.state, TempoMap.from_canonical(document)
        loop = _loop_of(document)
        edited = loop if loop != self._loop else None
        self.state = retime(before, self.tempo, tempo_rev(tempo), edited, moment)
        self.tempo, self._loop = tempo, loop
        self._count_in = int(transport(document, "count_in"))
        return self.state is not before

    def position(self, now: float) -> float:
        """Where it is, in ticks."""
        return position(self.state, self.tempo, now)

    def told(self) -> tuple[Transport, dict[str, Any]]:
        """The state and the tempo map as it is told."""
        return self.state, tempo_json(self.tempo)


def _loop_of(document: Mapping[str, Any]) -> Loop:
    on, start, end = transport(document, "loop")
    return Loop(bool(on), float(start), float(end))
