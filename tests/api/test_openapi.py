"""The published description, and a fuzzer that reads it."""

import asyncio
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from tests.api.people import HOST, Meet, Musician
from tests.api.test_matrix import PUBLIC, RULES, SIGNED_IN, stage

EXAMPLES = 12
ROUTES = sorted((PUBLIC | SIGNED_IN | RULES.keys()) - {"GET /metrics"})


async def test_the_description_is_served(http: httpx.AsyncClient) -> None:
    """OpenAPI with one operation id per route."""
    described = (await http.get("/api/openapi.json")).json()
    ids = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids) == len(ROUTES) + 1


async def ask(somebody: Musician, case: Case[Any]) -> httpx.Response:
    """What schemathesis made up, sent as somebody who is signed in."""
    sent: dict[str, Any] = case.as_transport_kwargs(base_url=HOST)
    sent.pop("cookies", None)
    headers = {**sent.pop("headers"), "Authorization": f"Bearer {somebody.token}"}
    request = somebody.http.build_request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        json=sent.get("json"),
        content=sent.get("data"),
        headers={name.encode(): value.encode("latin-1", "replace") for name, value in headers.items()},
    )
    return await somebody.http.send(request)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("route", ROUTES)
async def test_no_input_is_a_server_error(app: FastAPI, meet: Meet, route: str, mode: GenerationMode) -> None:
    """Whatever fits the description, or does not, is answered below 500, and a refusal has its code."""
    ann, ben = await meet("Ann"), await meet("Ben")
    ids = await stage(ann, ben)
    method, template = route.split(" ")
    operation = schemathesis.openapi.from_dict(app.openapi())[template][method]
    known = {name: value for name, value in ids.items() if "{" + name + "}" in template}
    loop = asyncio.get_running_loop()
    answered: list[int] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, path_parameters=known))
    def fuzz(case: Case[Any]) -> None:
        answer = asyncio.run_coroutine_threadsafe(ask(ann, case), loop).result(30)
        answered.append(answer.status_code)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["error"]["code"]

    try:
        await asyncio.to_thread(fuzz)
    except Exception as error:
        if type(error).__name__ == "Unsatisfiable":  # some routes have nothing that could be wrong
            return
        raise
    assert answered
