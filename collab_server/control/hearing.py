"""What other nodes and the HTTP app say of a stage: states, answers, questions, roles, deletions.

A state is believed by the token of the lease it was told under: what a writer says that has lost its lease is old.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol
from uuid import UUID

from collab_server.closing import CloseCode
from collab_server.control.leases import Leases
from collab_server.control.mirror import Mirror
from collab_server.control.stage import Guest, Stage, of_payload
from collab_server.control.voice import VoiceNews
from persistence.errors import TRANSIENT
from persistence.transport import Standing
from presence.events import (
    AccessRevoked,
    Event,
    NodeGone,
    ProjectDeleted,
    RoleChanged,
    SetAside,
    TransportAsked,
    TransportTold,
    VoiceChanged,
)
from studio.roles import Role


class House(Protocol):
    """What hearing does to stages."""

    stages: dict[UUID, Stage]
    leases: Leases
    mirror: Mirror
    voice: VoiceNews
    node_id: UUID

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]": ...

    def tell(self, stage: Stage, *, anew: bool = True) -> None: ...

    def publish(self, stage: Stage, told: Mapping[str, Any]) -> None: ...

    def visit(self, stage: Stage, *, want: bool) -> None: ...

    def forwarded(self, stage: Stage, told: Mapping[str, Any]) -> dict[str, Any] | None: ...

    def answered(self, stage: Stage, line_id: str, answer: Mapping[str, Any]) -> None: ...

    def close(self, stage: Stage, code: CloseCode, reason: str) -> None: ...

    async def take_or_ask(self, stage: Stage) -> None: ...

    async def check_memberships(self, stage: Stage) -> None: ...


class Hearing:
    """Acts on what is heard. Everything runs in the event loop."""

    def __init__(self, house: House) -> None:
        self._house = house

    def hear(self, stage: Stage, event: Event) -> None:
        """The bus speaks of a stage."""
        match event:
            case TransportAsked(_, node, data) if node != self._house.node_id:
                self._was_asked(stage, node, _understood(data))
            case TransportTold(_, node, data) if node != self._house.node_id:
                self._was_told(stage, node, _understood(data))
            case VoiceChanged(_, users):
                self._house.voice.heard(stage, users)
            case RoleChanged(_, user_id, role):
                stage.roles[user_id] = role
                _restand(stage, user_id, role)
            case AccessRevoked(_, user_id):
                stage.roles.pop(user_id, None)
                _restand(stage, user_id, None)
            case ProjectDeleted():
                self._house.close(stage, CloseCode.NO_SUCH_PROJECT, "the project was deleted")
            case SetAside():
                self._house.close(stage, CloseCode.LOAD_FAILED, "the project is set aside")
            case NodeGone(node):
                stage.guests.pop(node, None)
                if node == stage.holder:
                    self._house.start(self._house.take_or_ask(stage))
            case _:
                pass

    def stands(self, stage: Stage, found: Standing) -> None:
        """What the database says of a stage that is led elsewhere."""
        stage.holder = None if found.free else found.holder
        if found.state and found.tempo and stage.conductor is None:
            self._learn(stage, found.token, found.seq, found.state, found.tempo)

    def missed(self) -> None:
        """The bus was away: ask again for everything."""
        self._house.start(self._house.voice.look(list(self._house.stages.values())))
        for stage in self._house.stages.values():
            self._house.start(self._ask_again(stage))

    def _was_asked(self, stage: Stage, node: UUID, told: Mapping[str, Any]) -> None:
        if not stage.leads(time.monotonic()):
            return
        if "command" in told:
            answer = self._house.forwarded(stage, told)
            if answer is not None:
                self._house.publish(stage, {"token": stage.lease_token, "line": told.get("line"), "answer": answer})
        elif "here" in told:
            stage.guests[node] = Guest(time.monotonic(), float(told.get("rtt", 0.0)))
            if told.get("want"):
                self._house.tell(stage, anew=False)

    def _was_told(self, stage: Stage, node: UUID, told: Mapping[str, Any]) -> None:
        token = told.get("token")
        if not isinstance(token, int) or token < max(stage.token, stage.lease_token):
            return  # a writer that does not know yet that it is none
        if stage.lease_token and token > stage.lease_token:
            self._house.leases.step_down(stage)
        stage.holder = node
        state = told.get("state")
        if state is not None:
            self._learn(stage, token, int(state["seq"]), state, told["tempo"])
        if "answer" in told:
            self._house.answered(stage, str(told.get("line")), told["answer"])

    def _learn(self, stage: Stage, token: int, seq: int, state: Mapping[str, Any], tempo: Mapping[str, Any]) -> None:
        if stage.newer(token, seq):
            stage.learn(token, seq, state, tempo)
            self._house.mirror.show(stage)

    async def _ask_again(self, stage: Stage) -> None:
        try:
            await self._house.check_memberships(stage)
        except TRANSIENT:
            return  # the rounds look again
        if stage.conductor is None:
            self._house.visit(stage, want=True)
        else:
            self._house.tell(stage, anew=False)


def _restand(stage: Stage, user_id: UUID, role: Role | None) -> None:
    for line in list(stage.lines):
        if line.user_id == user_id and line.role is not None:
            line.restand(role, stage.options)


def _understood(data: bytes) -> dict[str, Any]:
    try:
        return of_payload(data)
    except ValueError:
        return {}
