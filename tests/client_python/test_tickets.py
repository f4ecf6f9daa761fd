"""A bearer token goes to the address it was given for, and nowhere else."""

from uuid import uuid4

import pytest
from aiohttp import web

import backline
from backline.tickets import tickets
from tests.voice.fake_livekit import serving


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_no_token_along(status: int) -> None:
    """An answer that leads to another host is a refusal, and that host hears nothing."""
    asked: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({})

    other = web.Application()
    other.router.add_route("*", "/{rest:.*}", elsewhere)
    async with serving(other) as url:

        async def leads_on(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{url}{request.path}"})

        api = web.Application()
        api.router.add_route("*", "/{rest:.*}", leads_on)
        async with serving(api) as ours:
            with pytest.raises(backline.Refused) as caught:
                await tickets(f"{ours}/p/{uuid4()}", "a secret").fetch()
    assert (caught.value.code, asked) == (status, [])
