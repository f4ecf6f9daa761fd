"""One control socket without a network: what is answered on the spot, what is refused, what a full outbox does."""

import json
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

from collab_server.closing import CloseCode
from collab_server.control.figures import OUTCOMES, Figures
from collab_server.control.line import NOT_OPENED, Bucket, Line
from collab_server.control.messages import Ask, nack
from collab_server.settings import Limits
from collab_server.sockets import Socket
from presence.principal import Principal
from studio.roles import Options, Role

AS_MADE = Options()


class Wire:
    """A socket's end that keeps what is written."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: tuple[CloseCode, str] | None = None

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed = (code, reason)

    def told(self) -> list[dict[str, Any]]:
        """The messages, all short enough for a header of two or four bytes."""
        return [json.loads(frame[2 if frame[1] < 126 else 4 :]) for frame in self.frames]


class Porch:
    """A house with a clock that is set by hand."""

    boot = "b00t"
    limits = Limits()

    def __init__(self) -> None:
        self.figures = Figures(lambda: 0, lambda: 0)
        self.time = 1000.0
        self.entered = 0
        self.asks: list[Ask] = []

    def now(self) -> float:
        self.time += 0.25
        return self.time

    def enter(self, line: Line) -> None:
        self.entered += 1

    def asked(self, line: Line, ask: Ask, message: bytes, read_at: float) -> None:
        self.asks.append(ask)

    def left(self, line: Line) -> None:
        self.entered -= 1

    def refused(self, reason: str) -> None:
        """Nobody counts here."""


def line(role: Role | None = Role.EDITOR, options: Options = AS_MADE) -> tuple[Line, Porch, Wire]:
    """A line of somebody, let in already if there is a role."""
    porch, wire, project = Porch(), Wire(), uuid4()
    made = Line(uuid4(), porch, Principal(UUID(int=7), "Ada", "#aa3355", Role.EDITOR, project, True), project, None)
    made.opened(cast(Socket, wire))
    if role is not None:
        made.become(role, options)
    return made, porch, wire


def test_the_time_is_told_before_anybody_is_let_in() -> None:
    """Read, answered and stamped within one call; `n` and `c` come back as they were."""
    ours, _, wire = line(None)
    ours.received_text(b'{"t":"ping","n":7,"c":12.5}')
    (pong,) = wire.told()
    assert (pong["t"], pong["n"], pong["c"], pong["boot"]) == ("pong", 7, 12.5, "b00t")
    assert 0 < pong["s"] - pong["r"] < 1


def test_commands_wait_for_a_role_and_need_one() -> None:
    """Nobody commands before the role is known; owners and editors do, commenters and viewers do not."""
    play = b'{"t":"play","id":"a"}'
    for role, heard in ((None, 0), (Role.VIEWER, 0), (Role.COMMENTER, 0), (Role.EDITOR, 1), (Role.OWNER, 1)):
        ours, porch, wire = line(role)
        ours.received_text(play)
        assert len(porch.asks) == heard
        assert ("forbidden" in wire.frames[-1].decode("latin-1")) is not bool(heard)


def test_a_change_of_role_holds_from_the_next_message_on() -> None:
    """The client is told, and what it asks then is judged by the new one."""
    ours, porch, wire = line(Role.VIEWER)
    ours.become(Role.EDITOR, Options())
    ours.received_text(b'{"t":"stop","id":"a"}')
    assert [told["t"] for told in wire.told()] == ["hello", "role"]
    assert len(porch.asks) == 1


def test_an_option_lets_commenters_command_and_nobody_else() -> None:
    """They are told when it is turned; a refusal says whose choice it is. Whom it does not concern hears nothing."""
    open_ = Options(commenters_transport=True)
    for role, heard in ((Role.VIEWER, 0), (Role.COMMENTER, 1), (Role.EDITOR, 1)):
        ours, porch, wire = line(role, open_)
        ours.received_text(b'{"t":"play","id":"a"}')
        assert (wire.told()[0]["may"], len(porch.asks)) == (bool(heard), heard)
        ours.restand(role, replace(open_, readers_export=True))
        ours.restand(role, Options())
        told = [(one["role"], one["may"]) for one in wire.told() if one["t"] == "role"]
        assert told == ([("commenter", False)] if role is Role.COMMENTER else [])
    ours, porch, wire = line(Role.COMMENTER)
    ours.received_text(b'{"t":"play","id":"a"}')
    ours.restand(Role.COMMENTER, open_)
    ours.received_text(b'{"t":"play","id":"b"}')
    assert [told.get("reason", told.get("may")) for told in wire.told()] == [False, NOT_OPENED, True]
    assert len(porch.asks) == 1


def test_who_does_not_read_is_told_where_things_are_when_it_does() -> None:
    """States pass it by meanwhile: each is whole, so the newest is enough."""
    ours, porch, wire = line()
    written = len(wire.frames)
    ours.writing_paused()
    ours.tell(b"{}")
    assert len(wire.frames) == written
    ours.writing_resumed()
    assert porch.entered == 2


def test_every_answer_is_counted_by_its_outcome() -> None:
    """Acknowledged, refused and meaningless commands and questions for the time are told to Prometheus."""
    ours, porch, _ = line()
    ours.received_text(b'{"t":"play","id":"a"}')
    ours.answer({"t": "ack", "id": "a"}, porch.time)
    ours.answer(nack("b", "stale"), porch.time)
    ours.answer(nack("c", "of a newer node"), porch.time)
    ours.received_text(b'{"t":"seek","id":"d","pos":-1}')
    ours.received_text(b'{"t":"ping","n":1,"c":0}')
    figures = told(porch.figures)
    assert {key[1]: value for key, value in figures.items() if key[0] == "backline_control_commands_total"} == {
        **dict.fromkeys(OUTCOMES, 0),
        "ack": 1,
        "stale": 1,
        "invalid": 1,
        "other": 1,
    }
    assert figures["backline_control_command_seconds_count", ""] == 4
    assert figures["backline_control_pings_total", ""] == 1
    assert 0 < figures["backline_control_ping_seconds_total", ""] < 0.01


def told(figures: Figures) -> dict[tuple[str, str], float]:
    """What Prometheus gets, by name and outcome."""
    samples = (sample for metric in figures.collect() for sample in metric.samples)
    return {(sample.name, sample.labels.get("outcome", "")): sample.value for sample in samples}


def test_a_bucket_is_filled_with_time() -> None:
    """A burst at once, then as many as its rate allows."""
    bucket = Bucket(10, 3)
    assert [bucket.take(5000.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(5050.0)
    assert bucket.take(5151.0)
    assert not bucket.take(5152.0)
    assert [bucket.take(99_000.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_is_set_back_costs_nobody_the_rate() -> None:
    """What is left stays, and is refilled from there on."""
    bucket = Bucket(per_second=50, burst=3)
    assert bucket.take(100_000)
    assert bucket.take(90_000)
    assert bucket.take(90_000)
    assert not bucket.take(90_000)
    assert bucket.take(90_020)
