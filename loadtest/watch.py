"""The server from outside: its /metrics each second, and its processes' CPU and memory if they run on this machine."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from loadtest.ask import fetch
from loadtest.errors import Refused
from loadtest.exposition import Buckets, Figures, buckets, figures, quantile
from loadtest.listener import behind, listener
from loadtest.measure import cpu_seconds, memory_bytes, tree
from loadtest.options import Options
from loadtest.record import Reading, Record

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
COMMITS = "backline_commit_seconds"
WORST = ("backline_save_lag_seconds", "backline_loop_lag_max_seconds")
SUMMED = ("process_resident_memory_bytes", "process_cpu_seconds_total", "backline_unsaved_bytes")
MIB = 2**20
LOOKS = 15  # readings in which a proxy may turn out to be one


class Watch:
    """Reads until it is cancelled; a server that does not answer leaves a gap."""

    def __init__(self, options: Options, ws: tuple[str, ...], record: Record) -> None:
        self._record = record
        self.urls = options.metrics or (tuple(_metrics(url) for url in ws) if options.http else ())
        self._options, self._ws = options, ws
        self.trees = self._look()
        self._looks, self._fronted = LOOKS, False
        self._names: dict[int, str] = {}  # of nodes behind a proxy, by port
        self._cpu: dict[int, tuple[float, float]] = {}
        self._told_cpu: tuple[float, float] | None = None
        self._commits: dict[str, Buckets] = {}

    async def run(self, began: float) -> None:
        """A reading each second, from `began` (monotonic) on."""
        await asyncio.sleep(max(0.0, began - time.monotonic()))
        while True:
            at = time.monotonic()
            await self._look_behind()
            texts = await asyncio.gather(*(_text(url) for url in self.urls))
            self._read(at - began, dict(zip(self.urls, texts, strict=True)))
            await asyncio.sleep(max(0.0, at + 1 - time.monotonic()))

    async def _look_behind(self) -> None:
        """A proxy shows little of itself: once it is connected, the nodes behind it are watched instead."""
        if self._looks <= 0 or self._options.metrics or self._options.pids:
            return
        self._looks -= 1
        nodes = {port: pid for front in self.trees.values() for port, pid in behind(front).items()}
        telling = {port: pid for port, pid in nodes.items() if await _text(_local(port))}
        if telling:
            for port in sorted(telling):
                self._names.setdefault(port, f"node {len(self._names) + 1}")
            fresh = {self._names[port]: pid for port, pid in telling.items()}
            self.trees = {_front(name): pid for name, pid in self.trees.items()} | fresh
            for reading in self._record.readings:
                for by_name in (reading.cores, reading.memory):
                    by_name.update({_front(name): by_name.pop(name) for name in list(by_name)})
            self.urls = tuple(_local(port) for port in sorted(self._names))
            self._looks, self._fronted = self._looks if len(telling) < len(self._names) else 0, True

    def _read(self, at: float, texts: dict[str, str]) -> None:
        told = {url: figures(text) for url, text in texts.items() if text}
        shown = self._shown(told) | self._commit_times({url: buckets(texts[url]) for url in told})
        cores, memory = self._processes()
        if not self.trees and "process_resident_memory_bytes" in shown:
            memory["server"] = shown["process_resident_memory_bytes"] / MIB
            cores |= self._told_cores(shown)
        self._record.readings.append(Reading(at, cores, memory, shown))

    def _shown(self, told: dict[str, Figures]) -> Figures:
        shown = {name: max(f[name] for f in told.values() if name in f) for name in WORST if _any(told, name)}
        return shown | {name: sum(f.get(name, 0.0) for f in told.values()) for name in SUMMED if _any(told, name)}

    def _commit_times(self, read: dict[str, Buckets]) -> Figures:
        p99 = [
            quantile(self._commits.get(url, {}).get(COMMITS, {}), found[COMMITS], 0.99)
            for url, found in read.items()
            if COMMITS in found
        ]
        first, self._commits = not self._commits, read
        known = [value for value in p99 if value is not None and value != float("inf")]
        return {"commit_p99_seconds": max(known)} if known and not first else {}

    def _again(self) -> None:
        """A process was started anew: find it, and what stands behind it."""
        found = self._look()
        self.trees = {_front(name) if self._fronted else name: pid for name, pid in found.items()} or self.trees
        self._looks = LOOKS

    def _look(self) -> dict[str, int]:
        return dict(self._options.pids) or _found(self._ws, self._options.http)

    def _processes(self) -> tuple[dict[str, float], dict[str, float]]:
        cores, memory = {}, {}
        if any(not Path(f"/proc/{pid}").exists() for pid in self.trees.values()):
            self._again()
        for name, pid in self.trees.items():
            now, used = time.monotonic(), cpu_seconds(pid)
            before = self._cpu.get(pid)
            self._cpu[pid] = (now, used)
            if before is not None and used >= before[1] > 0:
                cores[name] = (used - before[1]) / (now - before[0])
            if (held := memory_bytes(pid)) > 0:
                memory[name] = held / MIB
        return cores, memory

    def _told_cores(self, shown: Figures) -> dict[str, float]:
        if "process_cpu_seconds_total" not in shown:
            return {}
        now, used = time.monotonic(), shown["process_cpu_seconds_total"]
        before, self._told_cpu = self._told_cpu, (now, used)
        return {"server": (used - before[1]) / (now - before[0])} if before and used >= before[1] else {}


def _any(told: dict[str, Figures], name: str) -> bool:
    return any(name in read for read in told.values())


async def _text(url: str) -> str:
    with suppress(Refused):
        status, body = await fetch("GET", url)
        if status == 200:
            return body.decode(errors="replace")
    return ""


def _front(name: str) -> str:
    return "balancer" if name == "server" else name


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}/metrics"


def _metrics(ws: str) -> str:
    """Where a collab server shows its figures: http beside its websockets."""
    parts = urlsplit(ws)
    return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/metrics"


def _found(ws: tuple[str, ...], http: str) -> dict[str, int]:
    """The servers' processes, if they run here: those behind the websockets, and the API's."""
    found: dict[str, int] = {}
    for name, url in [
        *((f"node {n + 1}" if len(ws) > 1 else "server", url) for n, url in enumerate(ws)),
        ("api", http),
    ]:
        parts = urlsplit(url)
        pid = listener(parts.port) if parts.port and parts.hostname in LOOPBACK else None
        if pid is not None and not any(pid in tree(other) for other in found.values()):
            found[name] = pid
    return found
