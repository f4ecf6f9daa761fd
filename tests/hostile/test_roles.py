"""Who may not write writes nothing, in whatever it is hidden; and who was removed is gone within a second."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from pycrdt import merge_updates

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry
from collab_server.gate.awareness import encode as encode_presence
from launch.app import App
from studio.roles import Role
from tests.collab_server.author import Author
from tests.collab_server.world import World
from tests.hostile.raw import CONTINUATION, OPEN, Raw, frame
from tests.hostile.witness import Witness, witness

FORGED: Final = "t_forged"
DENIED: Final = b"\x02\x00"
REMOVE: Final = "delete from project_members where project_id = $1 and user_id = $2"
DEMOTE: Final = "update project_members set role = 'viewer' where project_id = $1 and user_id = $2"
PRESENCE: Final = wire.encode_awareness(encode_presence([Entry(77, 1, "{}")]))
ASK: Final = wire.encode_step1(b"\x00")

Hide = Callable[[bytes, bytes], list[bytes]]
"""(forged update, the whole document) → frames."""

WAYS: Final[dict[str, Hide]] = {
    "Update": lambda forged, whole: [frame(wire.encode_update(forged))],
    "Step2": lambda forged, whole: [frame(wire.encode_step2(forged))],
    "merged with what is known": lambda forged, whole: [frame(wire.encode_update(merge_updates(whole, forged)))],
    "merged, as Step2": lambda forged, whole: [frame(wire.encode_step2(merge_updates(whole, forged)))],
    "behind other messages": lambda forged, whole: [frame(ASK + PRESENCE + ASK + wire.encode_update(forged))],
    "behind an unknown message": lambda forged, whole: [frame(wire.encode_update(forged) + b"\x09")],
    "in fragments": lambda forged, whole: [
        frame(wire.encode_update(forged)[:5], final=False),
        frame(wire.encode_update(forged)[5:], CONTINUATION),
    ],
    "many times": lambda forged, whole: [frame(wire.encode_update(forged))] * 50,
}


@pytest.fixture(scope="module")
async def pair(collab: App, world: World) -> AsyncIterator[Witness]:
    async with witness(collab, world) as found:
        yield found


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
@pytest.mark.parametrize("hide", WAYS.values(), ids=list(WAYS))
async def test_s5_who_may_not_write_writes_nothing(pair: Witness, role: Role, hide: Hide) -> None:
    """However it is sent, the update reaches no peer and no journal; its sender is told and stays."""
    user = await pair.world.member(pair.project, role)
    villain = await Raw.open(pair.world.url(pair.app, pair.project, user, role))
    assert await villain.joins() == OPEN
    for sent in hide(*_forged(pair)):
        await villain.send(sent)
    assert await villain.joins() == OPEN
    assert await villain.hears(DENIED)
    await pair.proves()
    assert all(FORGED not in peer.json()["tracks"] for peer in pair.pair)
    assert FORGED not in str(await pair.world.stored(pair.project))
    villain.drop()


@pytest.mark.parametrize("claimed", [Role.EDITOR, Role.OWNER])
async def test_s5_a_ticket_of_better_days_opens_no_more_than_the_role_of_now(pair: Witness, claimed: Role) -> None:
    """A viewer who comes with an editor's ticket is a viewer."""
    user = await pair.world.member(pair.project, Role.VIEWER)
    villain = await Raw.open(pair.world.url(pair.app, pair.project, user, claimed))
    assert await villain.joins() == OPEN
    forged, _ = _forged(pair)
    await villain.send(frame(wire.encode_update(forged)))
    assert await villain.joins() == OPEN
    assert await villain.hears(DENIED)
    await pair.proves()
    assert FORGED not in str(await pair.world.stored(pair.project))
    villain.drop()


async def test_s11_a_removed_members_socket_closes_within_a_second(pair: Witness) -> None:
    """Taken off the list of members: closed with 4403 at once, and what is sent after that is not heard."""
    user = await pair.world.member(pair.project)
    villain = await Raw.open(pair.world.url(pair.app, pair.project, user))
    assert await villain.joins() == OPEN
    forged, _ = _forged(pair)
    began = time.monotonic()
    await pair.world.pool.execute(REMOVE, pair.project, user.id)
    assert await villain.end() == CloseCode.NOT_ALLOWED
    assert time.monotonic() - began < 1
    again = await Raw.open(pair.world.url(pair.app, pair.project, user))
    await again.send(frame(wire.encode_update(forged)))
    assert await again.end() == CloseCode.NOT_ALLOWED
    await pair.proves()
    assert FORGED not in str(await pair.world.stored(pair.project))


async def test_s10_an_editor_who_becomes_a_viewer_writes_no_more(pair: Witness) -> None:
    """The role of now counts within a second, on the open connection."""
    user = await pair.world.member(pair.project)
    villain = await Raw.open(pair.world.url(pair.app, pair.project, user))
    assert await villain.joins() == OPEN
    began = time.monotonic()
    await pair.world.pool.execute(DEMOTE, pair.project, user.id)
    _, heard = await villain.hear()
    while not heard.startswith(DENIED):
        _, heard = await villain.hear()
    assert time.monotonic() - began < 1
    forged, _ = _forged(pair)
    await villain.send(frame(wire.encode_update(forged)))
    assert await villain.joins() == OPEN
    await pair.proves()
    assert FORGED not in str(await pair.world.stored(pair.project))
    villain.drop()


def _forged(pair: Witness) -> tuple[bytes, bytes]:
    """An update that adds a track, and the whole document it stands on."""
    author = Author(4_711)
    whole = pair.pair[0].doc.get_update(b"\x00")
    author.doc.apply_update(whole)
    return author.track(FORGED), whole
