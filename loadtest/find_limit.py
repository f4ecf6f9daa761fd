"""The search: the rate rises step by step until the p99 bound breaks, then halves the distance a few times."""

from dataclasses import dataclass, field

RISE = 1.5
FINE = 1.08  # a limit that is known to 8 % is known
REACHED = 0.9  # of the rate asked for


@dataclass(slots=True, frozen=True)
class Step:
    """One rate that was tried (edits/s), what came of it, and why it counts as too much ("" if it does not)."""

    rate: float
    edits_s: float
    deliveries_s: float
    p99_ms: float | None
    broke: str


@dataclass(slots=True)
class Search:
    """Pure: says which rate to try next."""

    bound_ms: float
    rate: float
    steps: list[Step] = field(default_factory=list)
    good: float = 0.0
    bad: float = 0.0

    def judge(self, edits_s: float, deliveries_s: float, p99_ms: float | None, errors: int, busy: bool) -> Step:
        """Take in what the present rate did, and choose the next one."""
        broke = self._why(edits_s, p99_ms, errors, busy)
        step = Step(self.rate, edits_s, deliveries_s, p99_ms, broke)
        self.steps.append(step)
        if broke:
            self.bad = self.rate
        else:
            self.good = self.rate
        self.rate = (self.good + self.bad) / 2 if self.bad else self.rate * RISE
        return step

    def _why(self, edits_s: float, p99_ms: float | None, errors: int, busy: bool) -> str:
        if errors:
            return f"{errors} errors"
        if p99_ms is None or p99_ms > self.bound_ms:
            return f"p99 {p99_ms:.0f} ms" if p99_ms is not None else "nothing arrived"
        if edits_s < REACHED * self.rate:
            return f"only {edits_s:.0f} edits/s left the harness" + (", which was busy" if busy else "")
        return ""

    @property
    def found(self) -> bool:
        """Whether the limit is known well enough, or there is none to be found from here."""
        if self.bad and not self.good:
            return self.bad < 1 or len(self.steps) > 6
        return bool(self.bad) and self.bad / self.good < FINE

    @property
    def best(self) -> Step | None:
        """The highest rate that was held."""
        held = [step for step in self.steps if not step.broke]
        return max(held, key=lambda step: step.rate, default=None)
