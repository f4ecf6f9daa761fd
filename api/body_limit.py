"""No body grows beyond the limit: refused by its declared length, or as soon as what came in is more."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, response


class LimitedApp:
    """Answers 413 instead of reading more than `bytes_max`."""

    def __init__(self, app: ASGIApp, bytes_max: int) -> None:
        self.app = app
        self.bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared(scope) > self.bytes_max:
            await response(ApiError("too_large"))(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        taken = 0

        async def read() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.bytes_max:
                raise HTTPException(413)
            return message

        return read


def _declared(scope: Scope) -> int:
    """The declared length; 0 for none, or for what is no number: then what comes in is counted."""
    given = dict(scope["headers"]).get(b"content-length", b"")
    return int(given) if given.isdigit() and len(given) < 20 else 0
