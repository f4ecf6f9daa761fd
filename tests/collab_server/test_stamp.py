"""Tests of the stamp: whichever way a state is written, what it says is the same."""

import json
import random
from collections.abc import Iterator
from typing import Final
from uuid import UUID, uuid4

import pytest

from collab_server.dialects.yws import YWebsocket
from collab_server.member import Member
from collab_server.stamp import Stamp
from presence.principal import Principal
from studio.roles import Role

IDENTITY: Final[dict[str, str | bool]] = {
    "id": "7",
    "name": 'Zoë "\\',
    "color": "#aa3355",
    "role": "editor",
    "credited": True,
}
CLAIM: Final = '{"user":{"name":"Ada","color":"#43a88a"},'

ODD: Final = (
    "{}",
    "{ }",
    ' {"a":1} ',
    '{\n"a"\t:\r1}',
    '{ "user":{"name":"Eve"},"a":1}',
    '{"user" :1,"a":1}',
    '{"user":1}',
    '{"user": 1,"a":1}',
    '{"user":1 ,"a":1}',
    '{"user":1, "a":1}',
    '{"user":null,"a":1}',
    '{"user":-12.5,"a":1}',
    '{"user":"},\\"user\\":{","a":1}',
    '{"user":"user","a":1}',
    '{"user":{"user":{"user":1}},"a":1}',
    '{"user":{"name":"Eve"},"user":{"name":"Eve"}}',
    '{"user":{"name":"Eve"},"a":1,"user":{"name":"Eve"}}',
    '{"a":1,"user":{"name":"Eve"}}',
    '{"a":{"user":{"name":"Eve"}}}',
    '{"a":"user","b":["user"]}',
    '{"a":"\\"user\\":{"}',
    '{"\\u0075ser":{"name":"Eve"},"a":1}',
    '{"user":{"name":"Eve"},"\\u0075ser":{"name":"Eve"}}',
    '{"us\\u0065r":1,"user":2}',
    '{"User":{"name":"Eve"},"user ":1}',
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":2},"a":{"b":3,"b":4}}',
    '{"":"","a":""}',
    '{"name":"Zoë"}',
    '{"a":"\x7f"}',
    '{"a":"\\ud800","b":"\\ud83d\\ude00"}',
    '{"a":1e999,"b":-1e999,"c":[1E+999],"d":9e307,"e":9e308}',
    f'{{"a":1{"0" * 400}.0,"b":-1{"0" * 308}.5e1,"c":1{"0" * 400}}}',
    f'{{"a":{"9" * 200}.0e99,"b":{"9" * 200}.0e109}}',
    f'{{"a":0.{"0" * 399}1e400,"b":1e-999,"c":1e0000999}}',
    f'{{"a":{"9" * 309}.5}}',
    '{"a":-0,"b":-0.0,"c":123456789012345678901234567890,"d":1e22,"e":0.1}',
    '{"a":"1e999","b":"ticket 3e4560aa"}',
    '{"a":[[],{},[{"b":[null,true,false]}]]}',
)


def strictly(text: str) -> object:
    """The value of JSON as every client reads it: in ASCII, with finite numbers. Numbers are told apart by type."""
    assert text.isascii()

    def never(name: str) -> object:
        raise AssertionError(name)

    def finite(number: str) -> tuple[str, float]:
        value = float(number)
        assert value not in (float("inf"), float("-inf"))
        return "float", value

    return json.loads(text, parse_constant=never, parse_float=finite)


def value(chance: random.Random, depth: int) -> str:
    """Some JSON, as a client might write it."""
    kind = chance.randrange(9 if depth else 7)
    if kind == 7:
        return "[" + ",".join(value(chance, depth - 1) for _ in range(chance.randrange(4))) + "]"
    if kind == 8:
        return record(chance, depth - 1)
    if kind > 4:
        return text(chance)
    if chance.random() < 0.1:
        return chance.choice(("1e309", "-4e1234", "9" * 310, "1e+00310", "9" * 308 + ".9"))
    return chance.choice(("null", "true", "0", "-1", "3.5", "1e9", "1E-7", "-2.5e+30", "0.1e99"))


def text(chance: random.Random) -> str:
    """A string in JSON: now and then one that looks like something else."""
    odd = ("user", "\\u0075ser", '\\"user\\":', "é", "😀", "\\ud800", "\\\\", "\x7f", "3e456")
    plain = ("name", "tick", "{", "}", "[", ",", ":", "")
    words = (chance.choice(odd if chance.random() < 0.1 else plain) for _ in range(chance.randrange(3)))
    return f'"{"".join(words)}"'


def record(chance: random.Random, depth: int, first: str = "") -> str:
    """An object in JSON; keys may be there twice."""
    gap = chance.choice(("", "", "", "", " ", "\n"))
    keys = ('"cursor"', '"sel"', '"tick"', '"name"', '"user"', text(chance))
    fields = [f"{chance.choice(keys)}{gap}:{gap}{value(chance, depth)}" for _ in range(chance.randrange(4))]
    return "{" + gap + f"{gap},{gap}".join([first, *fields] if first else fields) + gap + "}"


def generated(seed: int) -> Iterator[str]:
    """States as one client may send them one after the other: some begin alike."""
    chance = random.Random(seed)
    claim = ""
    for _ in range(60):
        if chance.random() < 0.3:
            claim = chance.choice(("", '"user":' + value(chance, 2), '"user":{"name":"Zoë \\u00eb"}', '"cursor":1'))
        yield record(chance, 3, claim)


def both(stamp: Stamp, state: str) -> tuple[object, object]:
    """What the state says when it is written in the shortest way, and when it is taken apart."""
    return strictly(stamp.on(state)), strictly(stamp.rewritten(state))


@pytest.mark.parametrize("state", ODD)
@pytest.mark.parametrize("before", [None, CLAIM + '"a":1}', '{"user":1,"a":1}', '{"a":1}'])
def test_s8_odd_states_say_the_same_either_way(state: str, before: str | None) -> None:
    """Whatever was said before: other names for `user`, numbers beyond a double, keys there twice, spaces."""
    stamp = Stamp(IDENTITY)
    if before is not None:
        stamp.on(before)
    short, long = both(stamp, state)
    assert short == long
    assert isinstance(short, dict)
    assert short["user"] == IDENTITY


@pytest.mark.parametrize("seed", range(200))
def test_s8_any_state_says_the_same_either_way(seed: int) -> None:
    """One person's states, one after the other: each says what it says when it is taken apart."""
    stamp = Stamp(IDENTITY)
    for state in generated(seed):
        short, long = both(stamp, state)
        assert short == long, state


def test_the_everyday_state_keeps_its_text() -> None:
    """A client's own `user` at the head gives way, and what follows is passed on as it is."""
    stamp, rest = Stamp(IDENTITY), '"cursor":{"tick": 960,"y":1.50}}'
    for _ in range(2):
        for state in (CLAIM + rest, "{" + rest, '{"user":1,' + rest, '{"user":"Zo\\u00eb é",' + rest):
            assert stamp.on(state).endswith("}," + rest)
    assert not stamp.on(CLAIM + '"name":"Zoë"}').endswith('"name":"Zoë"}')


def test_a_stamp_changes_with_the_role() -> None:
    """A member's stamp is the same until it becomes somebody else."""
    member = Member(
        uuid4(), Principal(UUID(int=5), "Ada", "#aa3355", Role.EDITOR, UUID(int=7), True), YWebsocket(), bytes
    )
    stamp = member.stamp
    assert member.stamp is stamp
    member.become(Role.VIEWER)
    fields = json.loads(member.stamp.on('{"a":1}'))
    assert fields == {"a": 1, "user": member.identity()}
    assert fields["user"]["role"] == "viewer"
