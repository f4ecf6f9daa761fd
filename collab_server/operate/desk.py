"""The operators' desk of a node: what is open here, for whoever has the token. It reads and changes nothing.

    /operator/rooms?offset=0&limit=1000           open rooms, in the order of their opening
    /operator/connections?offset=0&limit=1000     open connections, in the order of their coming
    /operator/rooms/<project>/state               one line of JSON, then the encoded document as it is served here

A page is bounded because it is written in the event loop: 1,000 entries cost it a few milliseconds.
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import TypeVar
from urllib.parse import parse_qs
from uuid import UUID

from collab_server.connection import Connection
from collab_server.hosted import Hosted
from collab_server.hub import Hub
from collab_server.sockets import HttpAnswer

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"
PAGE_MAX = 1000

Facts = dict[str, str | int | bool]
T = TypeVar("T")


class Desk:
    """Answers requests below /operator/. With an empty token there is no desk: 404."""

    def __init__(self, hub: Hub, token: str) -> None:
        self._hub = hub
        self._token = token.encode()

    def answer(self, path: str, query: str, authorization: str) -> HttpAnswer:
        """404 while we have no token, 401 for another one than ours."""
        if not self._token:
            return _refused(HTTPStatus.NOT_FOUND, "not found")
        if not self._knows(authorization):
            return _refused(HTTPStatus.UNAUTHORIZED, "the operators' token is needed")
        match path.split("/")[2:]:
            case ["rooms"]:
                return self._page(len(self._hub.rooms), map(_room, _window(self._hub.rooms, query)))
            case ["connections"]:
                return self._page(len(self._hub.connections), map(_connection, _window(self._hub.connections, query)))
            case ["rooms", project, "state"]:
                return self._state(project)
            case _:
                return _refused(HTTPStatus.NOT_FOUND, "not found")

    def _knows(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)

    def _page(self, total: int, items: Iterable[Facts]) -> HttpAnswer:
        page = {
            "node": str(self._hub.node_id),
            "draining": self._hub.draining,
            "total": total,
            "items": list(items),
        }
        return HttpAnswer(HTTPStatus.OK, JSON, json.dumps(page).encode())

    def _state(self, project: str) -> HttpAnswer:
        """409 while the room holds more than the journal: ask again."""
        try:
            hosted = self._hub.rooms.get(UUID(project))
        except ValueError:
            hosted = None
        if hosted is None:
            return _refused(HTTPStatus.NOT_FOUND, "this room is not open here")
        if not hosted.settled:
            return _refused(HTTPStatus.CONFLICT, "edits are being saved")
        room = hosted.room
        head = {"project": str(room.project_id), "epoch": room.epoch, "head": room.head}
        return HttpAnswer(HTTPStatus.OK, BYTES, json.dumps(head).encode() + b"\n" + room.state())


def _window(held: Mapping[UUID, T], query: str) -> Sequence[T]:
    fields = parse_qs(query, max_num_fields=8) if len(query) < 1024 else {}
    offset, limit = _number(fields, "offset", 0), min(_number(fields, "limit", PAGE_MAX), PAGE_MAX)
    return list(islice(held.values(), offset, offset + limit))


def _number(fields: Mapping[str, list[str]], name: str, default: int) -> int:
    text = fields.get(name, [""])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _room(hosted: Hosted) -> Facts:
    """`edits` counts those since the room was opened here; `nodes` counts the others that have the project open."""
    room = hosted.room
    return {
        "project": str(hosted.project_id),
        "epoch": room.epoch,
        "head": room.head,
        "members": len(room.members),
        "edits": hosted.edits,
        "unsaved_bytes": room.pending.size,
        "document_bytes": room.document_bytes,
        "rows_since_compaction": hosted.chores.rows,
        "nodes": len(hosted.neighbours),
        "settled": hosted.settled,
    }


def _connection(connection: Connection) -> Facts:
    """`role` and `edits` are "" and 0 until the connection has entered its room."""
    member, principal = connection.member, connection.principal
    return {
        "connection": str(connection.id),
        "project": str(connection.project_id),
        "user": str(principal.user_id) if principal is not None else "",
        "name": principal.name if principal is not None else "",
        "role": member.role.value if member is not None else "",
        "edits": member.edits if member is not None else 0,
        "buffered_bytes": connection.socket.buffered() if connection.socket is not None else 0,
        "lagging": member is not None and member.lag_vector is not None,
        "dialect": type(connection.dialect).__name__,
    }


def _refused(status: HTTPStatus, reason: str) -> HttpAnswer:
    return HttpAnswer(status, TEXT, f"{reason}\n".encode())
