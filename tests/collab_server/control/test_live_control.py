"""The control socket of one real server: clock, commands, the document, roles, limits."""

import asyncio
import json
from contextlib import suppress
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from launch.app import App
from presence.bus import open_bus
from presence.events import AccessRevoked, ProjectDeleted, RoleChanged
from studio.roles import Role
from studio.transport import Cause, Loop, Mode
from tests.collab_server.conftest import MakePeer
from tests.collab_server.control.conftest import MakeMusician
from tests.collab_server.control.musician import Musician
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

SET_ROLE = "update project_members set role = $3 where project_id = $1 and user_id = $2"
REMOVE = "delete from project_members where project_id = $1 and user_id = $2"
STORED = "select state, position, holder, token from project_transports where project_id = $1"


async def closing(url: str) -> tuple[int, str]:
    """Connect and wait for the close code."""
    musician = await Musician(url).connect()
    await until(lambda: musician.closed, "closed")
    assert musician.closed is not None
    return musician.closed


async def test_everybody_hears_who_plays(world: World, project: UUID, ada: User, make_musician: MakeMusician) -> None:
    """Play, seek and stop reach both with the same numbers, and they compute the same position."""
    bob = await world.member(project)
    a = await (await make_musician(project, ada).join()).tune()
    b = await (await make_musician(project, bob).join()).tune()
    assert (a.state.mode, a.state.pos0, a.state.cause) == (Mode.STOPPED, 0.0, Cause.RESTART)
    assert a.state == b.state
    assert (await a.ask("play", pos=960, if_seq=a.state.seq, epoch=a.state.epoch))["t"] == "ack"
    await until(lambda: b.state.mode is Mode.PLAYING)
    assert a.state == b.state
    assert a.state.by == str(ada.id)
    assert 0 < b.state.t0 - b.now() <= 260
    later = a.state.t0 + 10_000
    assert a.position(later) == b.position(later) == 960 + 10 * 2 * 960
    assert (await b.ask("stop", pos=1920.5))["t"] == "ack"
    await until(lambda: a.state.mode is Mode.STOPPED)
    assert (a.state.pos0, a.state.by) == (1920.5, str(bob.id))
    assert abs(a.now() - b.now()) < 2


async def test_x1_x2_commands_with_the_same_number(
    world: World, project: UUID, ada: User, make_musician: MakeMusician
) -> None:
    """The first wins; the others get stale with the state as it is now, and nothing happens."""
    bob = await world.member(project)
    a, b = await make_musician(project, ada).join(), await make_musician(project, bob).join()
    seq, epoch = a.state.seq, a.state.epoch
    answers = await asyncio.gather(
        a.ask("play", if_seq=seq, epoch=epoch), b.ask("play", if_seq=seq, epoch=epoch), b.ask("stop", if_seq=seq)
    )
    assert sorted(answer["t"] for answer in answers) == ["ack", "nack", "nack"]
    for refused in (answer for answer in answers if answer["t"] == "nack"):
        assert (refused["code"], refused["state"]["seq"]) == ("stale", seq + 1)
    await until(lambda: a.state.seq == b.state.seq == seq + 1)
    assert a.state.mode is Mode.PLAYING
    assert (await a.ask("stop", epoch="of another reign"))["code"] == "stale"


async def test_a_repeated_command_is_carried_out_once(project: UUID, ada: User, make_musician: MakeMusician) -> None:
    """The same id gets the same answer, also from another socket of the same person; nothing happens twice."""
    a, again = await make_musician(project, ada).join(), await make_musician(project, ada).join()
    first = await a.ask("play", name="once")
    await a.ask("stop")
    second = await again.ask("play", name="once")
    assert (second["t"], second["seq"]) == ("ack", first["seq"])
    assert a.state.mode is Mode.STOPPED


async def test_x4_x5_the_document_moves_under_what_plays(
    project: UUID, ada: User, make_musician: MakeMusician, make_peer: MakePeer
) -> None:
    """Tempo and loop are edited while it plays: a new anchor where everybody is, under the new map's name."""
    author = await make_peer(project, ada).join()
    a = await (await make_musician(project, ada).join()).tune()
    await a.ask("play")
    before, old = a.state, a.tempo
    assert old is not None
    await until(lambda: a.now() > before.t0 + 100)
    author.edit(lambda roots: roots["transport"].update({"bpm": 150.0}))
    await until(lambda: a.state.cause is Cause.TEMPO)
    assert a.state.tempo_rev != before.tempo_rev
    assert a.state.t0 > before.t0
    anchor = old.tick(old.seconds(before.pos0) + (a.state.t0 - before.t0) / 1000)
    assert abs(a.state.pos0 - anchor) < 0.01
    assert abs(a.position(a.state.t0 + 4000) - (a.state.pos0 + 10 * 960)) < 0.01
    author.edit(lambda roots: roots["transport"].update({"loop": [1.0, 9600.0, 19200.0]}))
    await until(lambda: a.state.cause is Cause.LOOP)
    assert a.state.loop == Loop(True, 9600, 19200)
    assert (await a.ask("loop", on=False, start=0, end=960))["t"] == "ack"
    await until(lambda: a.state.loop == Loop(False, 0, 960))
    author.edit(lambda roots: roots["transport"].update({"count_in": 2.0}))
    await author.saved()
    await a.ask("stop")

    async def counts_in() -> bool:
        await a.ask("stop")
        await a.ask("play")
        return a.state.mode is Mode.COUNTING_IN

    await until(counts_in)
    assert a.state.count_in_ms == 2 * 4 * 60_000 / 150


async def test_x6_x7_who_joins_late_only_listens(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, make_peer: MakePeer
) -> None:
    """During a count-in and in the middle of a loop the newcomer computes the same position, and changes nothing."""
    author = await make_peer(project, ada).join()
    author.edit(lambda roots: roots["tempo"].update({"p_a": [0.0, 100.0, 1.0], "p_b": [7680.0, 140.0, 0.0]}))
    await author.saved()
    a = await (await make_musician(project, ada).join()).tune()
    await until(lambda: a.tempo is not None and len(a.tempo.points) == 2)
    await a.ask("loop", on=True, start=960, end=4800)
    await a.ask("play", pos=480, count_in=1)
    seq = a.state.seq
    late = await (await make_musician(project, await world.member(project)).join()).tune()
    assert late.state == a.state
    assert late.state.mode is Mode.COUNTING_IN
    for now in (a.state.t0 - 1, a.state.t0 + 1234.5, a.state.t0 + 60_000):
        assert late.position(now) == a.position(now)
    assert abs(late.now() - a.now()) < 1
    await until(lambda: a.now() > a.state.t0)
    latest = await make_musician(project, ada).join()
    assert latest.state == a.state
    assert a.state.seq == seq


async def test_plain_yjs_clients_see_it_as_presence(
    project: UUID, ada: User, make_musician: MakeMusician, make_peer: MakePeer
) -> None:
    """The server's own entry says what plays and what time it is; it goes when nobody listens any more."""
    peer = await make_peer(project, ada).join()
    a = await make_musician(project, ada).join()
    await a.ask("play", pos=960)

    def mirrored() -> bool:
        shown = peer.seen(1) or {}
        return bool(shown.get("transport") == a.state.as_json() and shown["server"] and shown["clock"]["boot"])

    await until(mirrored)
    await a.leave()
    await until(lambda: peer.seen(1) is None, seconds=12)


async def test_the_slowest_follower_sets_the_lead(project: UUID, ada: User, make_musician: MakeMusician) -> None:
    """1.5 of its round trips, while it follows; the others do not count."""
    a, slow = await (await make_musician(project, ada).join()).tune(), await make_musician(project, ada).join()
    await slow.ping(rtt=400)
    await until(lambda: slow.samples)

    async def lead() -> float:
        await a.ask("stop")
        now = a.now()
        await a.ask("play")
        return a.state.t0 - now

    assert 240 < await lead() < 320
    await slow.say({"t": "follow", "room": True})

    async def longer() -> bool:
        return await lead() > 590

    await until(longer)


async def test_x8_after_a_restart_it_stands_where_it_was(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, collab: App
) -> None:
    """A clean stop: 1012 for all, another reign at once, stopped, the position kept; old commands are stale."""
    a = await (await make_musician(project, ada).join()).tune()
    await a.ask("play", pos=9600)
    before = a.state
    await until(lambda: a.now() > before.t0 + 300)
    assert await collab.stop() == 0
    stopped_at = a.now()
    await until(lambda: a.closed)
    assert a.closed is not None
    assert a.closed[0] == 1012
    await collab.start()
    b = await make_musician(project, ada).join()
    assert (b.state.mode, b.state.cause) == (Mode.STOPPED, Cause.RESTART)
    assert b.state.epoch != before.epoch
    assert 9600 < b.state.pos0 <= a.position(stopped_at) + 1
    assert (await b.ask("play", epoch=before.epoch, if_seq=before.seq))["code"] == "stale"
    row = await world.pool.fetchrow(STORED, project)
    assert row is not None
    assert row["token"] > 1


async def test_what_plays_is_kept_once_a_second(
    world: World, project: UUID, ada: User, make_musician: MakeMusician
) -> None:
    """The row says what was told, and the position follows."""
    a = await (await make_musician(project, ada).join()).tune()
    await a.ask("play")

    async def kept() -> bool:
        row = await world.pool.fetchrow(STORED, project)
        assert row is not None
        return bool(row["state"] == a.state.as_json() and row["position"] > 480)

    await until(kept)


async def test_roles_decide_who_commands(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, redis_url: str
) -> None:
    """Viewers and commenters follow and are told forbidden; a change of role holds from the next command on."""
    bob = await world.member(project, Role.COMMENTER)
    b = await make_musician(project, bob).join()
    assert b.hello is not None
    assert (b.hello["role"], b.hello["may"]) == ("commenter", False)
    assert (await b.ask("play"))["code"] == "forbidden"
    async with open_bus(redis_url) as bus:
        await world.pool.execute(SET_ROLE, project, bob.id, "editor")
        bus.publish(RoleChanged(project, bob.id, Role.EDITOR))
        await until(lambda: "editor" in b.roles, seconds=1)
        assert (await b.ask("play"))["t"] == "ack"
        await world.pool.execute(REMOVE, project, bob.id)
        bus.publish(AccessRevoked(project, bob.id))
        await until(lambda: b.closed, seconds=1)
    assert b.closed == (4403, "access revoked")


async def test_roles_hold_without_a_word_on_the_bus(world: World, project: UUID, make_musician: MakeMusician) -> None:
    """The database itself tells of a changed membership: within a second."""
    bob = await world.member(project, Role.EDITOR)
    b = await make_musician(project, bob).join()
    await world.pool.execute(SET_ROLE, project, bob.id, "viewer")
    await until(lambda: b.roles == ["viewer"], seconds=1)
    assert (await b.ask("play"))["code"] == "forbidden"
    await world.pool.execute(REMOVE, project, bob.id)
    await until(lambda: b.closed, seconds=1)


async def test_strangers_and_bad_tickets(
    world: World, project: UUID, ada: User, collab: App, redis_url: str, make_musician: MakeMusician
) -> None:
    """No ticket: 4401; a stranger's: 4403; no such project, or a deleted one: 4404."""
    base = f"{collab.ws}/ctl/{project}"
    assert await closing(base) == (4401, "a ticket is needed")
    assert (await closing(f"{base}?token=forged"))[0] == 4401
    stranger = await world.user("Eve")
    assert (await closing(f"{base}?token={world.ticket(project, stranger)}"))[0] == 4403
    assert (await closing(f"{collab.ws}/ctl/x?token=y"))[0] == 4404
    missing = uuid4()
    assert (await closing(f"{collab.ws}/ctl/{missing}?token={world.ticket(missing, ada)}"))[0] in (4403, 4404)
    a = await make_musician(project, ada).join()
    async with open_bus(redis_url) as bus:
        bus.publish(ProjectDeleted(project))
        await until(lambda: a.closed)
    assert a.closed == (4404, "the project was deleted")


async def test_what_is_no_message_ends_the_connection(
    project: UUID, ada: User, make_musician: MakeMusician, collab: App, world: World
) -> None:
    """4400 for what is no JSON object or has no id, 4413 for more than 4 KiB, 1003 for binary; others go on."""
    other = await make_musician(project, ada).join()
    for message, code in (
        ("[]", 4400),
        ("{", 4400),
        ('{"t":"play"}', 4400),
        ('{"t":"ping","n":-1,"c":0}', 4400),
        ('{"t":"ping","n":1,"c":NaN}', 4400),
        ("[" * 3000, 4400),
        (json.dumps({"t": "play", "id": "x" * 5000}), 4413),
    ):
        a = await make_musician(project, ada).join()
        await a.say(message)
        await until(lambda a=a: a.closed, message[:20])  # type: ignore[misc]
        assert a.closed is not None
        assert a.closed[0] == code, message[:20]
    async with connect(f"{collab.ws}/ctl/{project}?token={world.ticket(project, ada)}") as raw:
        await raw.send(b"\x00")
        await raw.wait_closed()
        assert raw.close_code == 1003
    assert (await other.ask("seek", pos=-5))["code"] == "invalid"
    assert (await other.ask("toggle"))["code"] == "invalid"
    assert (await other.ask("seek", pos=5))["t"] == "ack"


async def test_fragments_are_one_message(project: UUID, ada: User, collab: App, world: World) -> None:
    """A proxy may cut a message in pieces."""
    async with connect(f"{collab.ws}/ctl/{project}?token={world.ticket(project, ada)}") as raw:
        await raw.send(iter(['{"t":"ping",', '"n":3,', '"c":1.5}']))
        async with asyncio.timeout(5):
            while True:
                told = json.loads(await raw.recv())
                if told["t"] == "pong":
                    break
    assert (told["n"], told["c"]) == (3, 1.5)
    assert told["s"] >= told["r"]


async def test_a_flood_is_ended(project: UUID, ada: User, make_musician: MakeMusician) -> None:
    """Commands over their rate are refused, messages over theirs end the connection; the others do not feel it."""
    a, b = await make_musician(project, ada).join(), await make_musician(project, ada).join()
    names = [await a.command("seek", pos=float(number)) for number in range(140)]
    codes = [(await a.answer(name)).get("code", "ack") for name in names]
    assert codes.count("ack") >= 100
    assert codes.count("rate") >= 1
    with suppress(ConnectionClosed):
        for number in range(400):
            await a.ping(number)
    await until(lambda: a.closed)
    assert a.closed is not None
    assert a.closed[0] == 4429
    await b.tune(3)


async def test_operators_see_lines_leases_and_answers(
    project: UUID, ada: User, make_musician: MakeMusician, second: App
) -> None:
    """/metrics counts what is open and led now, and everything that was answered."""
    a = await (await make_musician(project, ada, second).join()).tune(5)
    await a.ask("play")
    await a.ask("stop", if_seq=a.state.seq + 5)
    now = await figures(second)
    assert (now["backline_control_lines"], now["backline_control_leases"]) == (1, 1)
    assert now["backline_control_pings_total"] == 5
    assert 0 < now["backline_control_ping_seconds_total"] < 0.1
    assert now['backline_control_commands_total{outcome="ack"}'] == 1
    assert now['backline_control_commands_total{outcome="stale"}'] == 1
    assert now["backline_control_command_seconds_count"] == 2
    await a.leave()

    async def left() -> bool:
        found = await figures(second)
        return (found["backline_control_lines"], found["backline_control_leases"]) == (0, 0)

    await until(left, "the line is closed, and the lease given back")


async def figures(app: App) -> dict[str, float]:
    """Every series of a node with its value."""
    async with httpx.AsyncClient(verify=False) as client:  # plain HTTP: reading certificates takes longer than asking
        lines = (await client.get(f"{app.http}/metrics")).text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
