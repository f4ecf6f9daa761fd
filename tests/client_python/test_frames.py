"""Our frames are those of y-protocols: what its JavaScript wrote is read, and what we wrote it reads."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backline.frames import Denied, Entry, Presence, Query, Step1, Step2, Unknown, Update, decode, encode
from backline.lib0 import Reader, Truncated, read_vector, varbytes, varuint
from tests.node import NODE
from tests.provider_peer.peer import FOLDER, install

SCRIPT = Path(__file__).with_name("protocol.mjs")
NAME = "José 🎸"


@pytest.fixture(scope="module")
def spoken() -> dict[str, Any]:
    """What real Yjs and y-protocols wrote, and what they made of ours."""
    install()
    ours = {
        "presence": encode(Presence((Entry(7, 3, {"name": NAME}), Entry(8, 1, None)))).hex(),
        "step1": encode(Step1(b"\x00")).hex(),
    }
    done = subprocess.run(
        [NODE, SCRIPT, FOLDER / "peer.mjs", json.dumps(ours)], capture_output=True, text=True, timeout=30, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def heard(frame: str) -> list[object]:
    """The messages of a frame in hex."""
    return list(decode(bytes.fromhex(frame)))


def test_what_yjs_wrote_is_read(spoken: dict[str, Any]) -> None:
    """Step1, Step2, Update, awareness with a name beyond ASCII, Denied and Query come out as what they are."""
    vector, update = bytes.fromhex(spoken["vector"]), bytes.fromhex(spoken["update"])
    assert heard(spoken["step1"]) == [Step1(vector)]
    assert heard(spoken["step2"]) == [Step2(update)]
    assert heard(spoken["edit"]) == [Update(update)]
    assert heard(spoken["awareness"]) == [Presence((Entry(5, 1, {"user": {"name": NAME}}),))]
    assert heard(spoken["gone"]) == [Presence((Entry(5, 2, None),))]
    assert heard(spoken["denied"]) == [Denied(f"no, {NAME}")]
    assert heard(spoken["query"]) == [Query()]
    assert heard(spoken["step1"] + spoken["edit"]) == [Step1(vector), Update(update)]


def test_what_we_write_is_what_yjs_writes(spoken: dict[str, Any]) -> None:
    """The same message has the same bytes on both sides."""
    vector, update = bytes.fromhex(spoken["vector"]), bytes.fromhex(spoken["update"])
    assert encode(Step1(vector)).hex() == spoken["step1"]
    assert encode(Step2(update)).hex() == spoken["step2"]
    assert encode(Update(update)).hex() == spoken["edit"]
    assert encode(Presence((Entry(5, 1, {"user": {"name": NAME}}),))).hex() == spoken["awareness"]
    assert encode(Query()).hex() == spoken["query"]
    assert spoken["heard"] == [[7, {"name": NAME}]]
    assert bytes.fromhex(spoken["answer"]) == encode(Step2(update))


def test_state_vectors_of_yjs_are_read(spoken: dict[str, Any]) -> None:
    """Client and clock, also for a client id of 32 bits."""
    assert read_vector(bytes.fromhex(spoken["vector"])) == {4_294_967_295: 2}


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32 - 1, 2**53])
def test_numbers_come_back(number: int) -> None:
    """Every number of the protocol is read as it was written."""
    assert Reader(varuint(number)).varuint() == number


@pytest.mark.parametrize("frame", [b"", b"\x00", b"\x00\x00", b"\x00\x02\x05ab", b"\x01\x02\x01", b"\xff\xff", b"\x09"])
def test_damaged_frames_are_no_messages(frame: bytes) -> None:
    """What ends too early or is of no known kind is nothing, and raises nothing."""
    assert all(isinstance(message, Unknown) for message in decode(frame))


def test_a_length_beyond_the_data_is_refused() -> None:
    """A promise of more bytes than there are is no reason to wait or to allocate."""
    with pytest.raises(Truncated):
        Reader(varuint(2**40) + b"abc").varbytes()
    assert Reader(varbytes(b"abc")).varbytes() == b"abc"
