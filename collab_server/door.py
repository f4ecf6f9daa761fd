"""The door: what a path asks for, and who may come in.

Answers /live, /ready and /metrics on the same port, and /operator/... to whoever has the operators' token.
"""

import asyncio
import time
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID, uuid4

from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.control.control import Control
from collab_server.control.line import Line
from collab_server.dialects.yws import YWebsocket
from collab_server.hub import Hub
from collab_server.operate.desk import Desk
from collab_server.seats import Seats
from collab_server.sockets import Handler, HttpAnswer
from presence.errors import TicketExpired, TicketInvalid
from presence.principal import Principal
from presence.tickets import verify

DOCUMENTS: Final = "/y/"
LINES: Final = "/ctl/"
SEATS: Final = "/hocuspocus"
PUBLIC: Final = (DOCUMENTS, LINES, SEATS)
"""What a proxy in front has to pass: with a slash at the end everything below it. All else is for those inside."""

TEXT = "text/plain; charset=utf-8"
Checked: TypeAlias = tuple[UUID | None, Principal | None, tuple[CloseCode, str] | None]
METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Door:
    """A sockets.Router. `ready` tells what is missing for service, "" for nothing."""

    def __init__(
        self, hub: Hub, control: Control, secret: str, operator_token: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._hub = hub
        self._control = control
        self._desk = Desk(hub, operator_token)
        self._secret = secret
        self._loop = loop
        self._dialect = YWebsocket()
        self._started = time.time() - time.monotonic()

    def __call__(self, target: str, authorization: str) -> Handler | HttpAnswer:
        """Route a request target such as `/y/<project>?token=...`, with what its Authorization header says."""
        try:
            parts = urlsplit(target)
        except ValueError:
            return HttpAnswer(HTTPStatus.BAD_REQUEST, TEXT, b"bad request\n")
        if parts.path.startswith(DOCUMENTS):
            return self._document(unquote(parts.path.removeprefix(DOCUMENTS)), parts.query)
        if parts.path == SEATS:
            return Seats(self._hub, self._verified, self._loop)
        if parts.path.startswith(LINES):
            return self._line(unquote(parts.path.removeprefix(LINES)), parts.query)
        if parts.path == "/live":
            return HttpAnswer(HTTPStatus.OK, TEXT, b"live\n")
        if parts.path == "/ready":
            return self._ready()
        if parts.path == "/metrics":
            return HttpAnswer(HTTPStatus.OK, METRICS, self._hub.metrics.text())
        if parts.path.startswith("/operator/"):
            return self._desk.answer(parts.path, parts.query, authorization)
        return HttpAnswer(HTTPStatus.NOT_FOUND, TEXT, b"not found\n")

    def _ready(self) -> HttpAnswer:
        if self._hub.draining:
            return HttpAnswer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, b"draining\n")
        if self._hub.writer.failing_since is not None:
            return HttpAnswer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, b"commits are failing\n")
        return HttpAnswer(HTTPStatus.OK, TEXT, b"ready\n")

    def _document(self, room: str, query: str) -> Connection:
        fields = _fields(query)
        epoch = _integer(fields.get("epoch", [""])[0])
        project_id, principal, refusal = self._checked(room, fields)
        return Connection(uuid4(), self._hub, self._dialect, principal, project_id, epoch, refusal, self._loop)

    def _line(self, room: str, query: str) -> Line:
        project_id, principal, refusal = self._checked(room, _fields(query))
        return self._control.line(principal, project_id or uuid4(), refusal)

    def _checked(self, room: str, fields: dict[str, list[str]]) -> Checked:
        """Who asks for which project, or why it is refused."""
        token = fields.get("token", [""])[0]
        try:
            project_id = UUID(room)
        except ValueError:
            return None, None, (CloseCode.NO_SUCH_PROJECT, "no such project")
        if not token:
            return None, None, (CloseCode.TICKET, "a ticket is needed")
        try:
            return project_id, self._verified(token, project_id), None
        except TicketExpired:
            return None, None, (CloseCode.TICKET, "the ticket has expired")
        except TicketInvalid:
            return None, None, (CloseCode.TICKET, "the ticket is not valid")

    def _verified(self, token: str, project_id: UUID) -> Principal:
        try:
            return verify(token, self._secret, project_id, time.time())
        except (TicketExpired, TicketInvalid):  # this machine's clock may have jumped since the start
            return verify(token, self._secret, project_id, self._started + time.monotonic())


def _fields(query: str) -> dict[str, list[str]]:
    return parse_qs(query, max_num_fields=16) if len(query) < 8192 else {}


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
