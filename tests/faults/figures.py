"""What the fault tests measure, as lines of JSON in the file that FAULT_FIGURES names; nowhere when it names none."""

import json
import os
from pathlib import Path
from typing import NamedTuple

VARIABLE = "FAULT_FIGURES"
SECONDS_VARIABLE = "FAULT_SECONDS"
SECONDS_IN_THE_SUITE = 4.0


class Figure(NamedTuple):
    """One fault: what people notice of it, what was measured, and how many acknowledged edits were lost."""

    fault: str
    noticed: str
    measured: str
    lost: int = 0


def record(figure: Figure) -> None:
    """Add a figure to the file."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a") as lines:
            lines.write(json.dumps(figure._asdict(), ensure_ascii=False) + "\n")


def read(path: Path) -> list[Figure]:
    """The figures in the file; of those of one fault the last, where the first stood."""
    found = [Figure(**json.loads(line)) for line in path.read_text().splitlines()]
    return list({figure.fault: figure for figure in found}.values())


def fault_seconds() -> float:
    """How long a fault lasts: short in the suite, FAULT_SECONDS when the table is made."""
    return float(os.environ.get(SECONDS_VARIABLE, SECONDS_IN_THE_SUITE))


def told(seconds: float) -> str:
    """A duration as people write it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
