"""What may go wrong, and who does what meanwhile: drawn from the seed before the run, target by target during it."""

import random
from collections.abc import Callable
from typing import Final
from uuid import UUID

from studio.roles import Role
from tests.simulation.bus import Broker
from tests.simulation.client import Tab
from tests.simulation.database import Weather
from tests.simulation.network import Line
from tests.simulation.node import Node
from tests.simulation.stage import Stage

WRITERS: Final = (Role.OWNER, Role.EDITOR)


class Chaos:
    """Schedules edits and faults over `seconds` of virtual time."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        self.stage = stage
        self.seconds = seconds
        self.rng = random.Random(f"{stage.seed}/chaos")

    def schedule(self) -> None:
        """Everything that will happen."""
        rng, now = self.rng, self.stage.now()
        for _ in range(rng.choice((30, 60, 120))):
            self._at(now + rng.uniform(0.5, self.seconds), self.somebody_edits)
        for _ in range(rng.choice((5, 20))):
            self._at(now + rng.uniform(0.5, self.seconds), self.somebody_moves)
        for _ in range(rng.choice((0, 3, 10))):
            self._at(now + rng.uniform(0.5, self.seconds), self.stall)
        faults = self._faults()
        for _ in range(rng.choice((2, 6, 14, 25))):
            self._at(now + rng.uniform(1.0, self.seconds), rng.choice(faults))

    def _faults(self) -> list[Callable[[], None]]:
        """A few kinds for each run, so that some runs see much of one thing."""
        kinds: list[Callable[[], None]] = [
            self.kill, self.kill, self.lose, self.drain, self.freeze, self.clock_jumps,
            self.database_crashes, self.database_is_flaky, self.database_is_slow, self.partition_from_database,
            self.bus_line_lost, self.bus_restarts, self.bus_is_slow, self.bus_is_rough,
            self.drop, self.drop, self.leave, self.half_open, self.stall, self.move_house, self.close_tab,
            self.app_edits, self.app_edits, self.change_role, self.revoke, self.all_leave,
        ]  # fmt: skip
        chosen = self.rng.sample(kinds, self.rng.randint(3, 12))
        if self.rng.random() < 0.04:
            chosen.append(self.rng.choice((self.plant_corruption, self.quarantine, self.delete)))
        return chosen

    def _at(self, when: float, what: Callable[[], None]) -> None:
        self.stage.later(when - self.stage.now(), what)

    def _note(self, what: str) -> None:
        self.stage.ledger.note("chaos", what)

    # ------------------------------------------------------------------ people

    def _tab(self) -> Tab:
        return self.rng.choice(self.stage.tabs)

    def _line(self) -> Line | None:
        lines = [tab.line for tab in self.stage.tabs if tab.line is not None]
        return self.rng.choice(lines) if lines else None

    def somebody_edits(self) -> None:
        tab = self._tab()
        for _ in range(self.rng.choice((1, 1, 1, 3))):
            tab.edit()
        if self.rng.random() < 0.2:
            tab.drag(self.rng.choice((2, 12)))

    def somebody_moves(self) -> None:
        self._tab().show()

    def drop(self) -> None:
        tab = self._tab()
        self._note(f"{tab.name} drops")
        tab.drop()

    def leave(self) -> None:
        """Offline for a while, and editing."""
        tab, seconds = self._tab(), self.rng.uniform(0.05, 6)
        self._note(f"{tab.name} goes offline")
        tab.go()
        self.stage.later(seconds * 0.6, tab.edit)
        self.stage.later(seconds, tab.come)

    def all_leave(self) -> None:
        """The room is unloaded, or nearly."""
        seconds = self.rng.choice((0.01, 0.1, 1.0))
        self._note("everybody leaves for a moment")
        for tab in self.stage.tabs:
            tab.go()
            self.stage.later(seconds + self.rng.uniform(0, 0.2), tab.come)

    def half_open(self) -> None:
        line = self._line()
        if line is not None:
            self._note("a line goes silent")
            line.silent = True

    def stall(self) -> None:
        line = self._line()
        if line is not None:
            self._note("a client reads nothing")
            line.stall(self.rng.uniform(0.2, 5))

    def move_house(self) -> None:
        """Reconnect at once."""
        tab = self._tab()
        tab.go()
        tab.come()

    def close_tab(self) -> None:
        """A tab is closed for good; the person opens another."""
        tab = self._tab()
        self._note(f"{tab.name} is closed, another opened")
        tab.close_for_good()
        self.stage.later(self.rng.uniform(0, 1), tab.come)

    # ------------------------------------------------------------------ the app

    def _person(self) -> tuple[UUID, UUID]:
        tab = self._tab()
        return tab.project, tab.user

    def app_edits(self) -> None:
        project, user = self._person()
        self.stage.app.edit(project, user, silent=self.rng.random() < 0.2)

    def change_role(self) -> None:
        project, user = self._person()
        role = self.rng.choice((Role.VIEWER, Role.COMMENTER, Role.EDITOR))
        if self.stage.role(project, user) is not None:
            self.stage.app.member(project, user, role, silent=self.rng.random() < 0.3)

    def revoke(self) -> None:
        project, user = self._person()
        if self.stage.role(project, user) in (None, Role.OWNER):
            return
        self.stage.app.member(project, user, None, silent=self.rng.random() < 0.3)
        self.stage.revoked[project, user] = self.stage.now()

    def delete(self) -> None:
        project, _ = self._person()
        self._note(f"project {project.int} is deleted")
        self._spoil(project)
        self.stage.app.delete(project)

    def quarantine(self) -> None:
        project, _ = self._person()
        self._note(f"project {project.int} is set aside")
        self._spoil(project)
        self.stage.database.tables.documents[project].quarantined = "by an operator"

    def plant_corruption(self) -> None:
        project, _ = self._person()
        self._note(f"project {project.int} gets a row that is none")
        self._spoil(project)
        body = self.rng.choice((b"\x07junk", b"\x01\x05\x01\x01\x01\xff\x00", b"\x01\xff"))
        self.stage.start(self.stage.app.appended(project, body))

    def _spoil(self, project: UUID) -> None:
        self.stage.spoiled.add(project)
        self.stage.ledger.expected |= {"room refused", "room spoiled", "journal refused a room"}

    # ------------------------------------------------------------------ machines

    def _node(self) -> Node | None:
        nodes = [node for node in self.stage.nodes if node.up]
        return self.rng.choice(nodes) if nodes else None

    def _replace(self) -> None:
        self.stage.later(self.rng.uniform(0.1, 3), lambda: self.stage.start(self.stage.node()))

    def kill(self) -> None:
        node = self._node()
        if node is not None:
            self._note(f"{node.name} is killed")
            node.kill(silently=False)
            self._replace()

    def lose(self) -> None:
        node = self._node()
        if node is not None:
            self._note(f"{node.name} is lost with its machine")
            node.kill(silently=True)
            self._replace()

    def drain(self) -> None:
        node = self._node()
        if node is not None:
            self._note(f"{node.name} is told to stop")
            self.stage.ledger.expected.add("not everything is committed: its authors will send it again")
            self.stage.start(node.stop())
            self._replace()

    def freeze(self) -> None:
        node = self._node()
        if node is not None:
            seconds = self.rng.choice((0.05, 1.0, 6.0))
            self._note(f"{node.name} stands still for {seconds} s")
            node.host.freeze(seconds)
            self._trouble(seconds)

    def clock_jumps(self) -> None:
        node = self._node()
        if node is not None:
            node.host.wall_offset += self.rng.choice((-600.0, 600.0))
            self._note(f"{node.name}'s clock is {node.host.wall_offset:+} s off")

    # ------------------------------------------------------------------ database and bus

    def _for(self, seconds: float, thing: object, **values: object) -> None:
        """Change attributes, and set them back to what their class says."""
        for name, value in values.items():
            setattr(thing, name, value)
            self.stage.later(seconds, lambda name=name: setattr(thing, name, getattr(type(thing), name)))  # type: ignore[misc]
        self._trouble(seconds)

    def _trouble(self, seconds: float) -> None:
        self.stage.calm_at = max(self.stage.calm_at, self.stage.now() + seconds)

    def database_crashes(self) -> None:
        down = self.rng.choice((0.01, 0.5, 4.0))
        self._note(f"the database crashes for {down} s")
        self.stage.database.crash(down)
        self._trouble(down)

    def database_is_flaky(self) -> None:
        self._note("the database is flaky")
        self._for(self.rng.uniform(0.5, 4), self.stage.database.weather, lost_before=0.15, lost_after=0.15)

    def database_is_slow(self) -> None:
        self._note("the database is slow")
        self._for(self.rng.uniform(0.5, 4), self.stage.database.weather, latency=(0.05, 1.5))

    def partition_from_database(self) -> None:
        node = self._node()
        if node is not None:
            self._note(f"{node.name} does not reach the database")
            which = self.rng.choice(("silent", "refused"))
            self._for(self.rng.choice((0.3, 3.0, 10.0)), node.database.weather, **{which: True})
            if which == "refused":
                node.database.cut_off()

    def bus_line_lost(self) -> None:
        node = self._node()
        if node is not None:
            self._note(f"{node.name} loses the bus")
            node.bus.cut(self.rng.choice((0.05, 1.0, 5.0)))

    def bus_restarts(self) -> None:
        self._note("the bus restarts")
        self.stage.broker.restart(self.rng.choice((0.05, 2.0)))

    def bus_is_slow(self) -> None:
        self._note("the bus is slow")
        self._for(self.rng.uniform(0.5, 4), self.stage.broker, latency=(0.05, 1.0))

    def bus_is_rough(self) -> None:
        self._note("the bus repeats and reorders")
        self._for(self.rng.uniform(1, 8), self.stage.broker, rough=0.4)

    # ------------------------------------------------------------------ the end

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self._note("everything heals")
        for node in self.stage.nodes:
            node.host.wall_offset = 0.0
            node.database.weather = Weather()
        self.stage.database.weather = Weather()
        self.stage.broker.latency, self.stage.broker.rough = Broker.latency, Broker.rough
