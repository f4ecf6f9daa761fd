"""Each close code has its meaning, and pauses grow and are spread."""

import pytest

from backline import EpochChanged, Malformed, NoSuchProject, NotAllowed, Refused, TooLarge
from backline.closing import ComeBack, Over, RenewTicket, ending, pause
from collab_server.closing import CloseCode


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (4400, Malformed),
        (4403, NotAllowed),
        (4404, NoSuchProject),
        (4409, EpochChanged),
        (4413, TooLarge),
        (1009, TooLarge),
    ],
)
def test_refusals_have_their_errors(code: int, error: type[Refused]) -> None:
    """A permanent refusal is a typed error that carries the server's reason and code."""
    end = ending(code, "because")
    assert isinstance(end, Over)
    assert type(end.error) is error
    assert (end.error.reason, end.error.code) == ("because", code)


@pytest.mark.parametrize("code", [4401, 4408])
def test_stale_tickets_are_renewed(code: int) -> None:
    """These two need another ticket."""
    assert isinstance(ending(code), RenewTicket)


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1012, 1013, 4429, 4500, 4503, 4513])
def test_others_mean_come_back(code: int) -> None:
    """A restart, a full or failing server, a slow reader: come back."""
    assert isinstance(ending(code), ComeBack)


def test_every_code_of_the_server_has_a_meaning_of_its_own() -> None:
    """No code that the server sends is an accident here: 44xx that are unknown count as our own mistake."""
    known = {code for code in CloseCode if 4400 <= code <= 4499}
    assert {code for code in known if isinstance(ending(code), Over)} == known - {4401, 4408, 4429}


def test_pauses_grow_are_spread_and_end_somewhere() -> None:
    """Half a second at first, four if the server is busy, never above fifteen, and a tenth of it at least."""
    assert pause(0, False, 0.999) == pytest.approx(0.5, abs=0.01)
    assert pause(0, True, 0.999) == pytest.approx(4, abs=0.1)
    assert pause(50, False, 0.999) == pytest.approx(15, abs=0.1)
    assert pause(3, False, 0) == pytest.approx(pause(3, False, 1) / 10)
