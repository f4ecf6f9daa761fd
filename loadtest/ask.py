"""HTTP/1.1 in small: one request, one connection, one JSON answer. Standard library only, for http and https."""

import asyncio
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from loadtest.errors import Refused

PATIENCE = 20.0  # seconds for one request


async def ask(method: str, url: str, token: str = "", body: dict[str, Any] | None = None) -> Any:
    """The JSON of a 2xx answer. Raises Refused with the status, or 0 if nobody answers."""
    status, text = await fetch(method, url, token, body)
    if status // 100 != 2:
        raise Refused(status, _words(text))
    return json.loads(text) if text else None


async def fetch(method: str, url: str, token: str = "", body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    """Status and body of whatever is answered. Raises Refused with code 0 if nobody answers."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _exchange(method, url, token, body)
    except TimeoutError:
        raise Refused(0, f"{urlsplit(url).netloc} does not answer in {PATIENCE:.0f} s") from None
    except (OSError, ValueError, IndexError, asyncio.IncompleteReadError) as error:
        raise Refused(0, told(error)) from None


def told(error: BaseException) -> str:
    """An operating system's words, without addresses: so that equal failures are counted together."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


async def _exchange(method: str, url: str, token: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    context = ssl.create_default_context() if secure else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(_request(method, target, parts.netloc, token, body))
        return _answer(await reader.read(-1))
    finally:
        writer.close()


def _request(method: str, target: str, host: str, token: str, body: dict[str, Any] | None) -> bytes:
    data = json.dumps(body).encode() if body is not None else b""
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {len(data)}"]
    if body is not None:
        head.append("Content-Type: application/json")
    if token:
        head.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*head, "", ""]).encode() + data


def _answer(raw: bytes) -> tuple[int, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if any(line.lower().replace(" ", "") == "transfer-encoding:chunked" for line in lines):
        body = _unchunked(body)
    return int(first.split()[1]), body


def _unchunked(data: bytes) -> bytes:
    out = bytearray()
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            return bytes(out)
        out += data[:length]
        data = data[length + 2 :]


def _words(text: bytes) -> str:
    """What an error's body says, in one line."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace").strip().split("\n")[0][:120]
