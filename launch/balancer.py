"""`python -m launch.balancer PORT NODE...`: a TCP balancer on PORT before the collab servers on the NODE ports.

It is for trying several nodes on one machine, and a process of its own, so that nothing else can hold it up. At SIGTERM
it accepts nobody any more, and ends with its last connection; at the second one it ends them.
"""

import argparse
import asyncio
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import uvloop

from launch.app import answers_ready
from launch.nodes import Choice, Lease, Node
from launch.relay import End

BACKLOG = 2048
PROBE_SECONDS = 0.5
PROBE_PATIENCE = 2.0
CONNECT_PATIENCE = 2.0
REFUSED = 2


class Balancer:
    """The connections under way, each with one node."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.choice = Choice(ports)
        self._clients: set[End] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def serve(self, port: int, retire: asyncio.Event) -> None:
        """Serve until `retire`, then until the last connection has ended. OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(self._look(node) for node in self.choice.nodes))
        server = await loop.create_server(self._client, "127.0.0.1", port, backlog=BACKLOG)
        async with AsyncExitStack() as stack:
            for node in self.choice.nodes:
                stack.callback(asyncio.ensure_future(self._watch(node)).cancel)
            await retire.wait()
            server.close()
            await self._empty.wait()

    def drop(self) -> None:
        """End all connections now."""
        for client in self._clients:
            if client.transport is not None:
                client.transport.abort()

    async def _watch(self, node: Node) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await self._look(node)

    async def _look(self, node: Node) -> None:
        """Ask for its /ready."""
        was, node.ready = node.ready, await _is_ready(node.port)
        if was != node.ready:
            _say(f"node {node.port} is {'ready' if node.ready else 'not ready'}")

    def _client(self) -> End:
        """A client has come."""
        client: End = End(lambda: self._gone(client), self._came)
        return client

    def _came(self, client: End) -> None:
        self._clients.add(client)
        self._empty.clear()
        task = asyncio.ensure_future(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def _gone(self, client: End) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._empty.set()

    async def _connect(self, client: End) -> None:
        """Join the client with the best node that can be reached."""
        for node in self.choice.candidates():
            lease = self.choice.take(node)
            if (end := await _connected(node, lease)) is not None:
                client.join(end)
                return
            lease.end()
            node.ready = False  # until it is asked again
        _say("no node can be reached: a client was refused")
        client.refuse()


async def _connected(node: Node, lease: Lease) -> End | None:
    """An open connection to the node, or None. The lease ends with it."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            _, end = await loop.create_connection(partial(End, lease.end), "127.0.0.1", node.port)
    except (OSError, TimeoutError):
        return None
    return end


async def _is_ready(port: int) -> bool:
    """Whether it answers 200, and soon."""
    try:
        async with asyncio.timeout(PROBE_PATIENCE):
            return await answers_ready(port)
    except TimeoutError:
        return False


async def _run(port: int, nodes: Sequence[int]) -> None:
    balancer, retire, loop = Balancer(nodes), asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        if retire.is_set():
            balancer.drop()
        retire.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await balancer.serve(port, retire)


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 after a clean stop, 2 with one sentence on stderr if the port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m launch.balancer", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("nodes", type=int, nargs="+", metavar="node")
    options = parser.parse_args(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))  # two files for each connection
    try:
        uvloop.run(_run(options.port, options.nodes))
    except OSError as error:
        _say(f"port {options.port} cannot be used: {error.strerror or error}")
        return REFUSED
    return 0


def _say(sentence: str) -> None:
    print(f"balancer: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
