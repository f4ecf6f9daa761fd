"""pycrdt-websocket in memory, as an ASGI application for uvicorn."""

from typing import Any

from pycrdt.websocket import ASGIServer, WebsocketServer  # type: ignore[import-not-found]  # in a venv of its own
from pycrdt.websocket.websocket_server import exception_logger  # type: ignore[import-not-found]

server = WebsocketServer(exception_handler=exception_logger)
rooms = ASGIServer(server)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Run the server for the application's lifespan and hand it every websocket."""
    if scope["type"] != "lifespan":
        await rooms(scope, receive, send)
        return
    await receive()
    async with server:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
