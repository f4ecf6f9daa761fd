"""The built studio page, and the reader of the API's description. Files under /assets carry their content's hash in
their name and never change; a page itself is asked for again each time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from api.errors import ApiError
from api.headers import page_headers
from api.services import services

FOR_EVER: Final = "public, max-age=31536000, immutable"
A_DAY: Final = "public, max-age=86400"
ICONS: Final = frozenset({"favicon.ico", "favicon.svg", "manifest.webmanifest", "robots.txt"})


async def page(request: Request) -> Response:
    """The studio, whatever it will show."""
    return _entrance(request, "index.html", services(request).settings.voice.origins)


async def docs(request: Request) -> Response:
    """The API's description, to be read and tried."""
    return _entrance(request, "docs.html", ())


async def asset(request: Request) -> Response:
    """A file of the build, by the name the build gave it."""
    return _file(_dist(request) / "assets", request.path_params["path"], FOR_EVER)


async def icon(request: Request) -> Response:
    """One of the few files that browsers ask for by a fixed name."""
    return _file(_dist(request), request.url.path[1:], A_DAY)


def _entrance(request: Request, name: str, voice: Sequence[str]) -> Response:
    """A page of the build. It may load what we serve and speak to the collab server and to `voice`, nothing else."""
    found = _dist(request) / name
    if not found.is_file():
        raise ApiError("studio_not_built")
    policies = page_headers(services(request).settings.collab.public_url, voice)
    return FileResponse(found, headers={"Cache-Control": "no-cache", **policies})


def _dist(request: Request) -> Path:
    dist = services(request).settings.api.studio_dist
    if dist is None:
        raise ApiError("studio_not_built")
    return dist.resolve()


def _file(folder: Path, name: str, cache: str) -> Response:
    """The file `name` inside `folder`; what lies elsewhere, by dots or by a link, is not there."""
    try:
        found = (folder / name).resolve()
        there = found.is_relative_to(folder) and found.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise ApiError("not_found")
    return FileResponse(found, headers={"Cache-Control": cache})


def routes() -> list[Route]:
    """The pages, to stand behind every other route."""
    places = ["/", "/p/{project_id}", "/join/{token}"]
    icons = [Route(f"/{name}", icon, include_in_schema=False) for name in sorted(ICONS)]
    return [
        *(Route(place, page, include_in_schema=False) for place in places),
        Route("/docs", docs, include_in_schema=False),
        Route("/assets/{path:path}", asset, include_in_schema=False),
        *icons,
    ]
