"""CPU and memory of process trees, as Linux tells them.

CPU comes from the processes' own clocks (nanoseconds) and, for children that have ended, from their parent's `stat`
(10 ms).
"""

import os
import resource
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CPUCLOCK_SCHED = 2


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def tree(root: int) -> list[int]:
    """`root` and its living descendants."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(_stat(int(entry))[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _cpu(pid: int) -> float:
    try:
        ended = sum(map(int, _stat(pid)[13:15])) / TICKS
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) + ended
    except OSError:
        return 0.0


def cpu_seconds(root: int) -> float:
    """User and system time of a process tree since its start."""
    return sum(_cpu(pid) for pid in tree(root))


def own_cpu_seconds() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes(root: int) -> int:
    """Proportional set size of a process tree (resident size where the kernel does not tell it)."""
    return sum(_memory(pid) for pid in tree(root))


def _memory(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return 0
