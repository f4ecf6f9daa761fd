"""Where every item of a document stands, kept beside yrs: what an update may not do with what is already there.

An update alone does not show this, and yrs does not check it. Neighbours from different lists make yrs link the lists
into each other: reads then differ from copy to copy, and freeing one list leaves pointers into it. A parent that is no
type makes yrs stop half way through an update. Types nested 60,000 deep end the process when the outermost is deleted.

A *slot* is where an item stands: a key of a map, or the sequence of a text. Items of a slot are neighbours only of each
other, and the first of them names the container; so a client's clocks map to slots, in runs. None is a slot nobody
knows any more (the structs were collected): yrs collects at once whatever is put there.

Text is cut between clocks, which are UTF-16 units. yrs, which holds UTF-8, cannot cut a surrogate pair: it moves the
cut and keeps the lengths, and from then on what it writes has other clocks than what it holds. So nothing may point
between the halves.
"""

from bisect import bisect_right
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

from collab_server.gate.breath import BREATH, breathe
from collab_server.gate.contents import ANY, ARRAY, BINARY, DELETED, EMBED, FORMAT, GC, MAP, STRING, TEXT, TYPE
from collab_server.gate.errors import Malformed, StoredMalformed, TooLarge
from collab_server.gate.inspection import Id, Inspection, Place
from collab_server.gate.limits import CLOCK_MAX, TRUSTED, Limits
from collab_server.gate.runs import Runs, Slot
from collab_server.gate.update import inspect
from collab_server.gate.work import Sequence, Work

_ALLOWED: Final[Mapping[int, frozenset[int]]] = {
    MAP: frozenset((DELETED, BINARY, TYPE, ANY)),
    TEXT: frozenset((DELETED, STRING, EMBED, FORMAT)),
    ARRAY: frozenset((DELETED, BINARY, TYPE, ANY)),
}


class Type:
    """A map, text or array: its kind, how many types it is nested in (itself included), and the root it belongs to.

    `id` is its own, and the one object that all slots in it share.
    """

    __slots__ = ("id", "kind", "level", "root")

    def __init__(self, id: Id, kind: int, level: int, root: str) -> None:
        self.id = id
        self.kind = kind
        self.level = level
        self.root = root


class Plan:
    """What an update adds to a Shape.

    `roots` are the names of the roots its new structs stand under, nested or not; `work` is what yrs may have to do.
    `gone` are the types that must be deleted by now: it goes on where the beginning was collected with such a type, and
    anywhere else yrs would put the rest where no copy of the document has it.
    """

    __slots__ = ("deleted", "gone", "roots", "runs", "types", "work")

    def __init__(self, sequences: Mapping[Slot, Sequence]) -> None:
        self.work = Work(sequences)
        self.runs: dict[int, Runs] = {}
        self.types: dict[Id, Type] = {}
        self.roots: set[str] = set()
        self.gone: set[Id] = set()
        self.deleted: dict[int, list[tuple[int, int]]] | None = None


class Shape:
    """The slots of one document. Feed it every update that is applied, the loaded state first."""

    __slots__ = ("_depth_max", "_runs", "_sequences", "_types", "_unread")

    def __init__(self, limits: Limits) -> None:
        self._depth_max = limits.types_depth_max
        self._sequences: dict[Slot, Sequence] = {}
        self._runs: dict[int, Runs] = {}
        self._types: dict[Id, Type] = {}
        self._unread: list[bytes] = []

    def read_later(self, update: bytes) -> None:
        """A stored update, admitted before: it is learned when the first is planned. Who only looks needs no shape."""
        self._unread.append(update)

    def plan(self, found: Inspection, work_max: int | None = None) -> Plan:
        """What `found`, of which nothing is `missing`, would add. Changes nothing.

        Raises Malformed, or TooLarge when placing it might keep yrs busy for more than `work_max` steps: 30 KB can be
        made to take seconds. None for updates that were admitted before. Raises StoredMalformed if what is stored could
        not be admitted.
        """
        if self._unread:
            self._read()
        plan = Plan(self._sequences)
        for client, _, _ in found.ranges:
            base = self._runs.get(client)
            plan.runs[client] = Runs(base.end if base else 0)
        for client, clock in found.halves:
            if clock == plan.runs[client].end:  # the known part would be cut off here
                raise Malformed("surrogate pair")
            if clock > plan.runs[client].end:
                plan.runs[client].halves.append(clock)
        if len(plan.runs) < 2:
            for number, place in enumerate(found.places):
                if number & BREATH == BREATH:
                    breathe()
                self._put(plan, place, found)
        else:
            self._put_in_order(plan, found)
        for number, (client, clock, length) in enumerate(found.deletes):
            if number & BREATH == BREATH:
                breathe()
            self._cut(plan, client, clock)
            self._cut(plan, client, clock + length)
        if work_max is not None:
            for client, clock, _ in found.deletes:
                plan.work.cut(self._at(plan, (client, clock))[0])
            if plan.work.steps > work_max:
                raise TooLarge("work_max", work_max)
        return plan

    def learn(self, plan: Plan) -> None:
        """The planned update has been applied."""
        self._types.update(plan.types)
        self._sequences.update(plan.work.settled())
        for client, runs in plan.runs.items():
            base = self._runs.setdefault(client, Runs())
            for number, (start, slot, dead) in enumerate(zip(runs.starts, runs.slots, runs.dead, strict=True)):
                if number & BREATH == BREATH:
                    breathe()
                base.add(start, slot, bool(dead))
            base.halves.extend(runs.halves)
            base.end = max(base.end, runs.end)

    def overwrite(self, client: int, clock: int, origin: int) -> Slot | None:
        """Plan and learn in one step: `client` sets a plain value at `clock` right of its own value at `origin`.

        The slot; None, and nothing learned, if it would not be that: another clock is next, or `origin` is no map's.
        """
        runs = self._runs.get(client)
        if runs is None or runs.end != clock or runs.halves:
            return None
        slot, dead = runs.at(origin)
        if slot is None or slot[1] is None or dead:
            return None
        runs.add(clock, slot, False)
        runs.end = clock + 1
        return slot

    def repeat(self, client: int, clock: int) -> bool:
        """`overwrite` once more, of the value that the last one has set at `clock` - 1. False, and nothing learned, if
        `client` has written anything else since."""
        runs = self._runs.get(client)
        if runs is None or runs.end != clock or runs.halves:
            return False
        runs.end = clock + 1
        return True

    def slot(self, client: int, clock: int) -> Slot | None:
        """Where a known item stands; None if nobody knows."""
        runs = self._runs.get(client)
        return runs.at(clock)[0] if runs is not None and clock < runs.end else None

    def within(self, client: int, start: int, end: int, slot: Slot) -> bool:
        """Whether all of these known clocks stand in this slot."""
        return self._runs[client].within(start, end, slot)

    def named(self, slot: Slot) -> tuple[str, str, str] | None:
        """(root, entity, key) of a slot in an entity, (root, "", key) of one in a root; None for anything deeper."""
        container, key = slot
        if key is None:
            return None
        if isinstance(container, str):
            return container, "", key
        holder = self._types.get(container)
        outer = self.slot(*container) if holder is not None and holder.level == 1 else None
        return None if outer is None or outer[1] is None else (str(outer[0]), outer[1], key)

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        try:
            for update in unread:
                self.learn(self.plan(inspect(update, TRUSTED)))
        except (Malformed, TooLarge) as error:
            self._unread = unread
            raise StoredMalformed(str(error)) from error

    def _put_in_order(self, plan: Plan, found: Inspection) -> None:
        """Each struct after those it leans on: a client rests until the struct it waits for is there."""
        queues: dict[int, list[Place]] = {client: [] for client in plan.runs}
        for place in reversed(found.places):
            queues[place[0]].append(place)
        resting: dict[int, list[tuple[int, int]]] = {}  # client → heap of (its clock that is waited for, by whom)
        ready = list(queues)
        while ready:
            client = ready.pop()
            queue = queues[client]
            while queue:
                if len(queue) & BREATH == BREATH:
                    breathe()
                awaited = _awaited(plan, queue, queues)
                if awaited is not None:
                    heappush(resting.setdefault(awaited[0], []), (awaited[1], client))
                    break
                self._put(plan, queue.pop(), found)
            heap, end = resting.get(client, []), plan.runs[client].end
            while heap and (not queue or heap[0][0] < end):
                ready.append(heappop(heap)[1])
        if any(queues.values()):
            raise Malformed("ring")

    def _put(self, plan: Plan, place: Place, found: Inspection) -> None:
        client, start, end, content, left, right, parent, key = place
        runs = plan.runs[client]
        if end <= runs.end:  # known: yrs skips it
            return
        slot = None if content == GC else self._slot(plan, left, right, parent, key)
        if start < runs.end:
            if content != GC:  # yrs ties the unknown part to the known one
                before = self._at(plan, (client, runs.end - 1))[0]
                if slot is not None and slot != before:
                    if before is not None or isinstance(slot[0], str):
                        raise Malformed("known part elsewhere")
                    plan.gone.add(slot[0])
                slot = before
            start = runs.end
        if slot is not None:
            if right is not None and (slot[1] is not None or right == left):
                raise Malformed("right origin")  # a map's newest value is its last: nothing is to the right of it
            self._stand(plan, (client, start), slot, content, found)
            if slot[1] is None:
                plan.work.insert(slot, (client, start), end - start if content == STRING else 0, left, right)
            else:
                if end - start > 1 and content != DELETED:
                    _require_deleted(plan, found, client, start, end)
                if left is None:
                    plan.work.open(slot)
        runs.add(start, slot, content == DELETED)
        runs.end = end

    def _slot(
        self, plan: Plan, left: Id | None, right: Id | None, parent: str | Id | None, key: str | None
    ) -> Slot | None:
        """Where a struct says it stands. Its neighbours decide; without any, the parent does."""
        if left is not None:
            self._cut(plan, left[0], left[1] + 1)
            slot = self._at(plan, left)[0]
            if right is None:
                return slot
            self._cut(plan, *right)
            return _same(slot, self._at(plan, right)[0])
        if right is not None:
            self._cut(plan, *right)
            return self._at(plan, right)[0]
        if not isinstance(parent, tuple):
            return None if parent is None else (parent, key)
        holder = self._type(plan, parent)
        if holder is not None:
            return holder.id, key
        beneath, dead = self._at(plan, parent)
        if beneath is not None and not dead:
            raise Malformed("parent is no type")
        return None

    def _stand(self, plan: Plan, own: Id, slot: Slot, content: int, found: Inspection) -> None:
        """May this content stand in this slot? A type that does is one from now on."""
        container, key = slot
        if isinstance(container, str):
            kind, level, root = MAP, 0, container
        else:
            holder = self._type(plan, container)
            assert holder is not None  # a slot in a type is only made of a known type
            kind, level, root = holder.kind, holder.level, holder.root
        if content not in _ALLOWED[kind] or (key is None) == (kind == MAP):
            raise Malformed("content out of place")
        if content == TYPE:
            if level >= self._depth_max:
                raise Malformed("types nested too deep")
            plan.types[own] = Type(own, found.types[own], level + 1, root)
        plan.roots.add(root)

    def _cut(self, plan: Plan, client: int, clock: int) -> None:
        base, fresh = self._runs.get(client), plan.runs.get(client)
        if (base and base.halves and base.halved(clock)) or (fresh and fresh.halves and fresh.halved(clock)):
            raise Malformed("surrogate pair")

    def _type(self, plan: Plan, ref: Id) -> Type | None:
        return plan.types.get(ref) or self._types.get(ref)

    def _at(self, plan: Plan, ref: Id) -> tuple[Slot | None, bool]:
        client, clock = ref
        fresh = plan.runs.get(client)
        if fresh and fresh.starts and clock >= fresh.starts[0]:
            return fresh.at(clock)
        base = self._runs.get(client)
        return base.at(clock) if base else (None, False)


def _require_deleted(plan: Plan, found: Inspection, client: int, start: int, end: int) -> None:
    """Values written one over the other arrive as one struct when they were deleted together, and only then.

    yrs keeps all but the newest value of a key deleted and frees a map by its newest ones. A run of live values, cut in
    two by a later deletion or origin, would leave one alive behind that points into the freed map.
    """
    if plan.deleted is None:
        plan.deleted = {}
        for writer, at, length in found.deletes:
            plan.deleted.setdefault(writer, []).append((at, at + length))
    ranges = plan.deleted.get(client, [])
    index = bisect_right(ranges, (start, CLOCK_MAX)) - 1
    if index < 0 or ranges[index][1] < end:
        raise Malformed("several values alive in a key")


def _same(first: Slot | None, second: Slot | None) -> Slot | None:
    if first is None:
        return second
    if second is not None and first != second:
        raise Malformed("neighbours apart")
    return first


def _awaited(plan: Plan, queue: list[Place], queues: dict[int, list[Place]]) -> Id | None:
    """What the next place needs first of another client, if anything."""
    client, _, _, _, left, right, parent, _ = queue[-1]
    for ref in (left, right, parent):
        if isinstance(ref, tuple) and ref[0] != client and queues.get(ref[0]) and ref[1] >= plan.runs[ref[0]].end:
            return ref
    return None
