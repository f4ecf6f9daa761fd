"""A running node as an operator asks it: over HTTP, with the token of `OPERATOR__TOKEN`."""

import asyncio
import http.client
import json
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from collab_server.operate.errors import NodeUnreachable, OperatorError

TIMEOUT_SECONDS: Final = 15.0
PAGE: Final = 1000

Sample: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and its labels."""
Samples: TypeAlias = dict[Sample, float]


class Absent(Enum):
    """Why a node has no document to compare."""

    CLOSED = "closed"
    BUSY = "busy"


CLOSED: Final = Absent.CLOSED
"""Nobody has it open there."""
BUSY: Final = Absent.BUSY
"""It holds edits that are not saved yet: ask again."""


@dataclass(frozen=True, slots=True)
class Live:
    """A document as a node serves it: exactly the journal up to `head`, as the node believes."""

    epoch: int
    head: int
    state: bytes


class Node:
    """One collab server. Everything raises NodeUnreachable when there is no usable answer."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise OperatorError(f"{url} is no address of a node such as http://127.0.0.1:8001")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._token = token

    async def rooms(self) -> list[dict[str, Any]]:
        """Every open room (collab_server/operate/desk.py has the fields)."""
        return await self._all("rooms", "project")

    async def connections(self) -> list[dict[str, Any]]:
        """Every open connection."""
        return await self._all("connections", "connection")

    async def metrics(self) -> Samples:
        """The samples of /metrics."""
        _, body = await self._ask("/metrics")
        families = text_string_to_metric_families(body.decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    async def live(self, project_id: UUID) -> Live | Absent:
        """The document as it is served there."""
        status, body = await self._ask(f"/operator/rooms/{project_id}/state", HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)
        if status == HTTPStatus.CONFLICT:
            return BUSY
        if status == HTTPStatus.NOT_FOUND:
            await self._ask("/operator/rooms?limit=0")  # or is it that there is no desk at all?
            return CLOSED
        head, _, state = body.partition(b"\n")
        told = self._read(head)
        return Live(int(told["epoch"]), int(told["head"]), state)

    async def _all(self, what: str, key: str) -> list[dict[str, Any]]:
        """All pages; what moves between two of them while others leave is listed once."""
        found: dict[str, dict[str, Any]] = {}
        offset, total = 0, 1
        while offset < total:
            _, body = await self._ask(f"/operator/{what}?offset={offset}&limit={PAGE}")
            page = self._read(body)
            found |= {item[key]: item for item in page["items"]}
            offset, total = offset + PAGE, page["total"]
        return list(found.values())

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise NodeUnreachable(self.url, "answers like no collab server")
        return told

    async def _ask(self, path: str, *fine: HTTPStatus) -> tuple[int, bytes]:
        """GET; 200 and the statuses that are `fine` come back, with the body."""
        try:
            status, body = await asyncio.to_thread(self._get, path)
        except (OSError, http.client.HTTPException) as error:
            raise NodeUnreachable(self.url, f"does not answer: {error or type(error).__name__}") from error
        if status == HTTPStatus.OK or status in fine:
            return status, body
        raise NodeUnreachable(self.url, _complaint(status), status)

    def _get(self, path: str) -> tuple[int, bytes]:
        """Redirects are not followed: the token is for this node alone."""
        parts = self._parts
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"Connection": "close", "Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}{path}", headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _complaint(status: int) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "has no operators' desk: it runs without OPERATOR__TOKEN"
    if status == HTTPStatus.UNAUTHORIZED:
        return "does not know this OPERATOR__TOKEN"
    return f"answers with HTTP status {status}"
