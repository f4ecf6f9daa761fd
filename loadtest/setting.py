"""What must exist before anybody can play: guests, projects, invites; or just names of rooms. All through the API."""

import asyncio
import secrets
from collections.abc import Callable

from loadtest.ask import ask, fetch
from loadtest.errors import Refused, Unreachable
from loadtest.job import Place
from loadtest.options import Options

TOGETHER = 12  # requests under way
TOO_MANY = 429


async def set_stage(options: Options, say: Callable[[str], None]) -> list[Place]:
    """The rooms with a token for each seat. Raises Unreachable."""
    if not options.http:
        run = secrets.token_hex(4)
        return [Place(f"loadtest-{run}-{index}", options.people) for index in range(options.rooms)]
    try:
        await _reachable(options.http)
        return await _projects(options, say)
    except Refused as refusal:
        raise Unreachable(_sentence(options.http, refusal)) from None


async def _reachable(http: str) -> None:
    status, _ = await fetch("GET", f"{http}/ready")
    if status // 100 != 2:
        raise Refused(status, "it says that it is not ready")


def _sentence(http: str, refusal: Refused) -> str:
    if refusal.code == TOO_MANY:
        return (
            f"{http} makes no more guests for this address: wait, use fewer --accounts, or start the server with a"
            " higher API__GUESTS_PER_HOUR_MAX."
        )
    return f"{http} cannot be used: {refusal}."


async def _projects(options: Options, say: Callable[[str], None]) -> list[Place]:
    gate = asyncio.Semaphore(TOGETHER)
    say(f"making {options.accounts} guests and {options.rooms} projects")

    async def guest(index: int) -> str:
        async with gate:
            made = await ask("POST", f"{options.http}/api/guests", body={"name": f"Player {index + 1}"})
            return str(made["token"])

    guests = await asyncio.gather(*(guest(index) for index in range(options.accounts)))

    async def project(index: int) -> Place:
        seats = [guests[(index * options.people + seat) % len(guests)] for seat in range(options.people)]
        async with gate:
            return await _project(options.http, index, tuple(seats))

    return await asyncio.gather(*(project(index) for index in range(options.rooms)))


async def _project(http: str, index: int, seats: tuple[str, ...]) -> Place:
    """A project whose first seat is its owner and whose others came by an invite."""
    owner, *others = seats
    made = await ask("POST", f"{http}/api/projects", owner, {"name": f"Load {index + 1}"})
    if others:
        invites = f"{http}/api/projects/{made['id']}/invites"
        invite = await ask("POST", invites, owner, {"role": "editor"})
        for token in others:
            await ask("POST", f"{http}/api/invites/{invite['token']}/accept", token, {})
    return Place(made["id"], len(seats), seats)
