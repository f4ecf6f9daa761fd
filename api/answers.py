"""Answers that hold a whole document: made beside the event loop, as it may be large."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from studio.canonical_json import written


async def whole(document: Mapping[str, Mapping[str, Any]]) -> Response:
    """The document itself."""
    return await asyncio.to_thread(_response, "", document, "")


async def beside(facts: Mapping[str, Any], document: Mapping[str, Mapping[str, Any]]) -> Response:
    """A few facts, at least one, which are JSON already, and the document under `document`."""
    head = json.dumps(facts, ensure_ascii=False, allow_nan=False).removesuffix("}")
    return await asyncio.to_thread(_response, f'{head},"document":', document, "}")


def _response(head: str, document: Mapping[str, Mapping[str, Any]], tail: str) -> Response:
    return Response(f"{head}{written(document)}{tail}".encode(), media_type="application/json")
