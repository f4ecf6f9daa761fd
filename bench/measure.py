"""Process trees pinned to a core, and how busy the machine is; CPU and memory are read by loadtest."""

import os
from pathlib import Path

from loadtest.measure import TICKS, cpu_seconds, memory_bytes, own_cpu_seconds, tree

__all__ = ["cpu_seconds", "machine_busy_seconds", "memory_bytes", "own_cpu_seconds", "pin", "tree"]


def pin(root: int, core: int) -> None:
    """Keep every process and thread of a tree on one core; what they start later inherits it."""
    for pid in tree(root):
        try:
            threads = [int(entry) for entry in os.listdir(f"/proc/{pid}/task")]
            for thread in threads:
                os.sched_setaffinity(thread, {core})
        except (ProcessLookupError, FileNotFoundError):
            continue


def machine_busy_seconds() -> float:
    """CPU seconds that anybody on this machine has used since it started."""
    fields = [int(part) for part in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / TICKS
