"""The draft of a repair: what would be written, and reads that already see it as valid."""

from dataclasses import dataclass, field

from studio import schema
from studio.binding import MISSING, RawMap, RawText, Reader
from studio.fields import DROP, Spec
from studio.repair.firsts import Firsts


@dataclass(frozen=True, slots=True)
class Repair:
    """One write: `root/id/key` from `old` to `new` by rule `rule` ("R1" … "R17").

    `id` is "" for flat and leaf roots; `key` is "" for an entity as a whole (removed, or made anew). `removed`
    says that the key or entry goes away. `old` and `new` are JSON-like.
    """

    root: str
    id: str
    key: str
    old: object
    new: object
    rule: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who wrote what is being judged, and when (server clock, ms since the epoch)."""

    user: str
    at: int


@dataclass(slots=True)
class Draft:
    """Planned writes by place. A later rule overrides an earlier one's write to the same place."""

    reader: Reader
    firsts: Firsts
    stamp: Stamp | None
    writes: dict[tuple[str, str, str], Repair] = field(default_factory=dict)

    def write(self, root: str, entity: str, key: str, new: object, rule: str) -> None:
        """Plans one write; values are compared so that nothing is written twice."""
        old = self.raw(root, entity, key)
        removed = new is DROP
        self.writes[root, entity, key] = Repair(
            root, entity, key, _shown(self.reader, old), None if removed else new, rule, removed
        )

    def raw(self, root: str, entity: str, key: str) -> object:
        """The stored value at a place, MISSING if there is none."""
        if not entity:
            return self.reader.entry(root, key)
        return self.reader.value(root, entity, key) if key else self.reader.entry(root, entity)

    def read(self, root: str, entity: str, key: str) -> object:
        """The value a reader sees: the planned one, else the stored one made valid, else the default."""
        planned = self.writes.get((root, entity, key))
        if planned is not None and not planned.removed:
            return planned.new
        spec = schema.field(root, key)
        assert spec is not None
        value = self.raw(root, entity, key)
        return spec.initial(entity or key) if value is MISSING else spec.fix(value, entity or key)

    def number(self, root: str, entity: str, key: str) -> float:
        """A field that is always a number once valid."""
        value = self.read(root, entity, key)
        assert isinstance(value, int | float)
        return value

    def is_entity(self, root: str, entity: str) -> bool:
        return isinstance(self.reader.entry(root, entity), RawMap)

    def check(self, root: str, entity: str, key: str, spec: Spec, value: object) -> None:
        """R2-R4, R6, R14, R15 on one value: plans the valid value if this one is not."""
        if value is MISSING:
            return
        fixed = spec.fix(value, entity or key)
        if fixed is value:
            return
        shared = isinstance(value, RawMap | RawText)
        self.write(root, entity, key, fixed, "R1" if fixed is DROP and shared else spec.rule(value))


def _shown(reader: Reader, value: object) -> object:
    return None if value is MISSING else reader.plain(value)
