"""Headers of every answer: what a browser may do with it. Pages load only what we serve, and nobody may frame them."""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STRICT: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' {connect}; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SILENT: Final = "microphone=(), camera=(), geolocation=()"
SPEAKING: Final = "microphone=(self), camera=(), geolocation=()"


def page_headers(collab_url: str, voice: Sequence[str]) -> Mapping[str, str]:
    """Of a page that speaks to the collab server and, where there are any, to these origins of a voice server."""
    return {
        "Content-Security-Policy": PAGE.format(connect=" ".join((collab_url, *voice))),
        "Permissions-Policy": SPEAKING if voice else SILENT,
    }


class GuardedApp:
    """Adds the security headers an answer does not bring itself."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app = app
        self.common = _common(https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guard(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.common.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", STRICT)
            await send(message)

        await self.app(scope, receive, guard)


def _common(https: bool) -> Mapping[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # An invitation's address is a secret: it must not travel in a Referer.
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": SILENT,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
