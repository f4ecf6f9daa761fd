"""When the server refuses for good, the error says why, and what was not saved."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

import backline
from presence.principal import Principal
from presence.tickets import mint
from studio.roles import Role
from tests.client_python.conftest import Seat, Song
from tests.collab_server.peer import until
from tests.conftest import SECRET


async def opening(url: str, token: str) -> None:
    """Open and leave."""
    async with asyncio.timeout(20), backline.open(url, token):
        pass


async def test_a_ticket_opens_its_address(song: Song) -> None:
    """ws_url and ticket are enough, without the HTTP API; the role is known from the beginning."""
    ticket = await song.ticket(song.owner)
    async with backline.open(ticket["ws_url"], ticket["ticket"]) as project:
        assert project.role == "owner"
        project.transport.bpm = 90
        await project.saved(10)
    assert (await song.stored())["transport"]["bpm"] == 90


async def test_what_cannot_open_anything_is_said_at_once(song: Song) -> None:
    """Addresses of nothing, a ticket for a page, a token for a socket: InvalidAddress."""
    ticket = await song.ticket(song.owner)
    for url, token in [
        ("ftp://127.0.0.1/p/x", "t"),
        (song.owner.url.replace("/p/", "/q/"), song.owner.token),
        (song.owner.url, ticket["ticket"]),
        (ticket["ws_url"], song.owner.token),
    ]:
        with pytest.raises(backline.InvalidAddress):
            await opening(url, token)


async def test_refusals_at_the_door_are_typed(song: Song) -> None:
    """A wrong token, a stranger, a project that is none, an expired ticket: each has its error."""
    stranger = Seat(song.owner.url.replace(song.project, str(uuid4())), song.owner.token, "")
    with pytest.raises(backline.TicketRefused):
        await opening(song.owner.url, "nonsense")
    with pytest.raises(backline.NoSuchProject):
        await opening(stranger.url, stranger.token)
    ticket = await song.ticket(song.owner)
    who = Principal(UUID(song.owner.id), "Ana", "#aa3355", Role.OWNER, UUID(song.project), True)
    old = mint(who, SECRET, time.time() - 4000)
    with pytest.raises(backline.TicketRefused) as caught:
        await opening(ticket["ws_url"], old)
    assert caught.value.code == 4401


async def test_a_removed_member_is_told(song: Song) -> None:
    """4403: edits raise from then on, streams end with the error, and the block ends without a claim of its own."""
    guest = await song.invite("Ben")
    async with backline.open(guest.url, guest.token) as project:
        stream = project.changes()
        await song.order("DELETE", f"/members/{guest.id}")
        with pytest.raises(backline.NotAllowed):
            await drained(stream)
        with pytest.raises(backline.NotAllowed):
            project.transport.bpm = 99


async def drained(stream: backline.Changes) -> None:
    """Read to the end."""
    async with asyncio.timeout(20):
        async for _ in stream:
            pass


async def test_a_deleted_project_is_over(song: Song) -> None:
    """4404: saved() and edits say that there is no such project any more."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        await song.order("DELETE", "")
        await until(lambda: project.over is not None, "over", 20)
        assert isinstance(project.over, backline.NoSuchProject)
        with pytest.raises(backline.NoSuchProject):
            project.tracks.add(name="late")


async def test_a_demoted_editor_cannot_write_until_promoted(song: Song) -> None:
    """The new role is known within a moment; edits raise NotAllowed; giving the role back gives the right back."""
    guest = await song.invite("Ben")
    async with backline.open(guest.url, guest.token) as project:
        await song.order("PATCH", f"/members/{guest.id}", {"role": "viewer"})
        await until(lambda: project.role == "viewer", "demoted")
        with pytest.raises(backline.NotAllowed):
            project.transport.bpm = 99
        await song.order("PATCH", f"/members/{guest.id}", {"role": "editor"})
        await until(lambda: project.role == "editor", "promoted")
        project.transport.bpm = 98
        await project.saved(10)
    assert (await song.stored())["transport"]["bpm"] == 98
