"""Where the connection goes, and what opens it: a ticket as it is, or a bearer token that fetches tickets."""

import asyncio
import base64
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

from backline.errors import InvalidAddress, NoSuchProject, NotAllowed, Refused, TicketRefused

UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
HTTP_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Pass:
    """What a ticket says: where to go, who we are, and what we may do. `epoch` None: it is not known."""

    address: str
    user: str
    role: str
    epoch: int | None

    @property
    def control(self) -> str:
        """Where the project's control socket is: beside its document."""
        return re.sub(rf"/y/({UUID})(?=\?)", r"/ctl/\1", self.address, count=1)


class Tickets(Protocol):
    """Gives a pass for every attempt."""

    renewable: bool

    async def fetch(self) -> Pass:
        """A pass. Raises Refused for good, OSError if it may work later."""
        ...


def tickets(url: str, token: str) -> Tickets:
    """For `http(s)://host/p/<project>` with a bearer token, or `ws(s)://host/y/<project>` with a ticket.

    Raises InvalidAddress.
    """
    parts = urlsplit(url)
    match = re.fullmatch(rf"(.*)/(p|y)/({UUID})/?", parts.path)
    ways = {("http", "p"), ("https", "p"), ("ws", "y"), ("wss", "y")}
    if not parts.netloc or not match or (parts.scheme, match[2]) not in ways:
        raise InvalidAddress(f"{url!r} is neither http(s)://host/p/<project> nor ws(s)://host/y/<project>")
    base = f"{parts.scheme}://{parts.netloc}{match[1]}"
    if parts.scheme in ("ws", "wss"):
        return GivenTicket(f"{base}/y/{match[3]}", token)
    if _claims(token) is not None:
        raise InvalidAddress("this is a ticket: it opens its ws_url; an http address needs a bearer token")
    return BearerTickets(f"{base}/api/projects/{match[3]}/ticket", token)


class GivenTicket:
    """One ticket, good for five minutes: it cannot be renewed."""

    renewable = False

    def __init__(self, ws_url: str, ticket: str) -> None:
        claims = _claims(ticket)
        if claims is None:
            raise InvalidAddress("a ws address needs a ticket; with a bearer token open http(s)://host/p/<project>")
        query = urlencode({"token": ticket})
        self._pass = Pass(f"{ws_url}?{query}", str(claims.get("sub", "")), str(claims.get("role", "")), None)

    async def fetch(self) -> Pass:
        """Always the same."""
        return self._pass


class BearerTickets:
    """A new ticket for every attempt, from POST /api/projects/{id}/ticket."""

    renewable = True

    def __init__(self, url: str, token: str) -> None:
        self._request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            url, data=b"{}", headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        )
        self._opener = urllib.request.build_opener(_NowhereElse)

    async def fetch(self) -> Pass:
        """Raises TicketRefused, NotAllowed, NoSuchProject; OSError if the API is away or too busy."""
        answer = await asyncio.to_thread(self._ask)
        query = urlencode({"token": answer["ticket"], "epoch": answer["epoch"]})
        return Pass(f"{answer['ws_url']}?{query}", answer["user"]["id"], answer["role"], answer["epoch"])

    def _ask(self) -> Any:
        try:
            with self._opener.open(self._request, timeout=HTTP_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            refusal = _refusal(error.code, _sentence(error))
            raise refusal if refusal is not None else OSError(f"the API answered {error.code}") from None
        except ValueError:
            raise OSError("the API's answer is no JSON") from None


class _NowhereElse(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would send our token along, to whatever host is named."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> None:
        """Raises Refused."""
        fp.close()
        raise Refused(
            f"the API sends us on to {newurl[:200]}: a token goes nowhere but to the address it was given for", code
        )


def _refusal(status: int, sentence: str) -> Refused | None:
    """What an HTTP status means; None: it may work later."""
    kinds: dict[int, type[Refused]] = {401: TicketRefused, 403: NotAllowed, 404: NoSuchProject, 410: NoSuchProject}
    if status in kinds:
        return kinds[status](sentence, status)
    return None if status >= 500 or status in (408, 425, 429) else Refused(sentence, status)


def _sentence(error: urllib.error.HTTPError) -> str:
    """The API's own words, if it has any."""
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _claims(token: str) -> dict[str, object] | None:
    """What a ticket (a JWT) says of itself, unverified; None for any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
