"""Whatever the gate lets through, pycrdt takes without dying, panicking, stalling or swelling, as predicted."""

import json
import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict

from pycrdt import Doc, Map, Text

from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.deletions import Deletion, covered
from collab_server.gate.errors import Malformed, Refused
from collab_server.gate.limits import Limits
from collab_server.gate.shape import Plan, Shape
from collab_server.gate.update import Inspection, inspect, missing, news
from collab_server.gate.vector import inspect_vector
from tests.collab_server.gate.forge import Forger

LIMITS = Limits()
YJS = json.loads(Path(__file__).with_name("yjs_updates.json").read_text())
CPU_MAX = 0.25
GROWTH_MAX = 64 * 1024 * 1024
SERVER = 1
"""The client id under which the victim itself edits, as a room's repairs do."""


class Answer(TypedDict):
    """What the victim says of one order."""

    error: str | None
    cpu: float
    rss: int
    state: list[tuple[int, int]]
    own: list[str]
    whole: str | None
    deleted: str


class Victim:
    """The process that applies; it answers each order or is found dead."""

    def __enter__(self) -> "Victim":
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("victim.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def reset(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"R")

    def order(self, what: bytes, body: bytes) -> Answer:
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(what + struct.pack(">I", len(body)) + body)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            end = f"died with {self.process.wait(5)}"
            return {"error": end, "cpu": 0.0, "rss": 0, "state": [], "own": [], "whole": None, "deleted": "0000"}
        answer: Answer = json.loads(line)
        return answer


@dataclass(slots=True)
class Room:
    """What a room knows while the victim holds the document."""

    known: dict[int, int] = field(default_factory=dict)
    types: list[tuple[int, int]] = field(default_factory=list)
    history: list[bytes] = field(default_factory=list)
    deleted: list[Deletion] = field(default_factory=list)
    shape: Shape = field(default_factory=lambda: Shape(LIMITS))


@dataclass(slots=True)
class Tally:
    """How a run went."""

    cases: int = 0
    refused: int = 0
    missing: int = 0
    misshapen: int = 0
    applied: int = 0
    failures: list[str] = field(default_factory=list)


def real_updates(rng: random.Random, client: int) -> list[bytes]:
    """A short life of one author, as pycrdt writes it."""
    doc: Doc[Any] = Doc(client_id=client)
    tracks, notes = doc.get("tracks", type=Map), doc.get("notes", type=Map)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    for _ in range(rng.randrange(2, 10)):
        name = rng.choice("abcd")
        match rng.randrange(6):
            case 0:
                tracks[name] = Map({"name": "é😀", "gain": rng.random(), "mute": False, "x": [1, {"a": None}]})
            case 1:
                notes[name] = Map({"body": Text("aé😀b"), "at": rng.randrange(2**40)})
            case 2 if isinstance(tracks.get(name), Map):
                tracks[name]["gain"] = rng.randrange(100)
            case 3 if isinstance(notes.get(name), Map):
                body = notes[name]["body"]
                body.insert(0, rng.choice(("q", "😀", "long text")))
                if len(body) > 3:
                    del body[0:1]
            case 4 if name in tracks:
                del tracks[name]
            case _:
                with doc.transaction():
                    tracks[name] = "v"
                    notes["k"] = name
    return updates


def fuzz(seed: int, cases: int, per_room: int = 60) -> Tally:
    """Forge, damage and replay `cases` updates against rooms that live for `per_room` of them."""
    rng = random.Random(seed)
    forger, tally = Forger(rng), Tally()
    while tally.cases < cases and not tally.failures:
        with Victim() as victim:
            for _ in range(40):
                play(forger, victim, tally, per_room)
                if tally.failures or tally.cases >= cases:
                    break
    return tally


def play(forger: Forger, victim: Victim, tally: Tally, per_room: int) -> None:
    """One room's life."""
    rng, room = forger.rng, Room()
    victim.reset()
    pool = [update for client in (7, 2**32 - 3) for update in real_updates(rng, client)]
    yjs = [bytes.fromhex(text) for text in rng.choice(YJS)["updates"]]
    backlog = rng.choice((list(pool), yjs + pool))
    pool += yjs
    for _ in range(per_room):
        pick = rng.random()
        if backlog and pick < 0.3:
            update = backlog.pop(0)
        elif pick < 0.75:
            update = forger.forged(room.known, room.types)
        else:
            update = forger.damaged(rng.choice(pool + room.history[-5:]), rng.choice(pool))
        tally.cases += 1
        if rng.random() < 0.1 and room.known:
            fault = ask(victim, forger.vector(room.known))
            if fault:
                tally.failures.append(fault + "\n" + "\n".join(part.hex() for part in room.history))
                return
        try:
            found = inspect(update, LIMITS)
        except Refused:
            tally.refused += 1
            continue
        if missing(found, room.known):
            tally.missing += 1
            continue
        try:
            plan = room.shape.plan(found, LIMITS.work_max)
            if plan.gone and not covered(room.deleted, [(client, clock, 1) for client, clock in plan.gone]):
                raise Malformed("known part collected")
        except Refused:
            tally.misshapen += 1
            continue
        room.history.append(update)
        fault = attack(victim, room, update, found, plan)
        tally.applied += 1
        if fault:
            tally.failures.append(fault + "\n" + "\n".join(part.hex() for part in room.history))
            return


def ask(victim: Victim, vector: bytes) -> str | None:
    """Have pycrdt answer a state vector the gate accepts; what went wrong, if anything."""
    try:
        inspect_vector(vector, LIMITS)
    except Refused:
        return None
    answer = victim.order(b"V", vector)
    if answer["error"] or answer["cpu"] > CPU_MAX or answer["rss"] > GROWTH_MAX:
        return f"vector {vector.hex()}: {answer}"
    return None


def attack(victim: Victim, room: Room, update: bytes, found: Inspection, plan: Plan) -> str | None:
    """Apply; what went wrong, or None and the room knows more."""
    answer = victim.order(b"A", update)
    if answer["error"]:
        return str(answer["error"])
    if answer["cpu"] > CPU_MAX:
        return f"stalled {answer['cpu']} s"
    if answer["rss"] > GROWTH_MAX:
        return f"grew {answer['rss']} bytes"
    for client, _, end in news(found, room.known):
        room.known[client] = end
    state = dict(answer["state"])
    room.types += found.types
    theirs = {client: clock for client, clock in state.items() if client != SERVER}
    ours = {client: clock for client, clock in room.known.items() if client != SERVER}
    if theirs != ours:
        return f"predicted {ours}, is {theirs}"
    room.known = state
    room.deleted = inspect(bytes.fromhex(answer["deleted"]), LIMITS).deletes
    return learned(room, plan, answer)


def learned(room: Room, plan: Plan, answer: Answer) -> str | None:
    """The room takes in what was applied and the victim's own edits; what pycrdt writes must pass the gate as well."""
    try:
        room.shape.learn(plan)
        for own in answer["own"]:
            room.shape.learn(room.shape.plan(inspect(bytes.fromhex(own), LIMITS)))
        if answer["whole"]:
            whole = inspect(bytes.fromhex(answer["whole"]), LIMITS)
            if missing(whole, {}):
                return "the whole lacks something"
            Shape(LIMITS).plan(whole)
    except Refused as refused:
        return f"pycrdt's own update: {refused}"
    return None


def test_seeded() -> None:
    """Thousands of forged and damaged updates neither harm pycrdt nor end in a state the gate did not predict."""
    cases = 200_000 if os.environ.get("BACKLINE_NIGHTLY") else 20_000
    for seed in range(4):
        tally = fuzz(seed, cases // 4)
        assert not tally.failures, f"seed {seed}: {tally.failures[0]}"
        assert tally.applied > cases // 20


def test_presence() -> None:
    """Damaged presence is refused or read into entries that are written and read back the same."""
    rng = random.Random(3)
    forger = Forger(rng)
    whole = encode([Entry(2**40, 7, '{"name":"Zoë 😀","at":[1,{"a":null}]}'), Entry(9, 1, None)])
    read = 0
    for _ in range(200_000 if os.environ.get("BACKLINE_NIGHTLY") else 10_000):
        try:
            entries = decode(forger.damaged(whole, whole), LIMITS)
        except Refused:
            continue
        read += 1
        assert decode(encode(entries), LIMITS) == entries
    assert read > 100


if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        result = fuzz(seed, int(sys.argv[3]))
        sys.stdout.write(f"seed {seed}: {result}\n")
