"""A ticket vouches for one user in one project, for a while, and nothing else does."""

from dataclasses import replace
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.errors import TicketExpired, TicketInvalid
from presence.principal import Principal
from presence.tickets import LENGTH_MAX, mint, verify
from studio.roles import Role

SECRET = "a secret of the tests, long enough to sign with, even with an algorithm that wants sixty-four bytes"
NOW = 1_800_000_000.5
PROJECT = UUID("11111111-1111-4111-8111-111111111111")
ANN = Principal(UUID("22222222-2222-4222-8222-222222222222"), "Zoë 😀", "#33aa55", Role.EDITOR, PROJECT, True)


def claims_of(ticket: str) -> dict[str, object]:
    return jwt.decode(ticket, options={"verify_signature": False})


def signed(claims: dict[str, object], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


@given(st.text(max_size=80), st.sampled_from(Role), st.booleans(), st.uuids(), st.uuids())
def test_whom_it_was_minted_for_comes_back(name: str, role: Role, credited: bool, user: UUID, project: UUID) -> None:
    """Every field of the principal survives."""
    principal = Principal(user, name, "#000000", role, project, credited)
    assert verify(mint(principal, SECRET, NOW), SECRET, project, NOW) == principal


def test_it_lives_as_long_as_it_was_given() -> None:
    """Good until `exp`, expired at it; the time comes from the caller, not from a clock."""
    ticket = mint(ANN, SECRET, NOW, ttl=60)
    assert verify(ticket, SECRET, PROJECT, NOW + 59) == ANN
    with pytest.raises(TicketExpired):
        verify(ticket, SECRET, PROJECT, NOW + 60)


def test_two_tickets_differ() -> None:
    """Each carries its own id, so that one can be told from another in a log."""
    assert claims_of(mint(ANN, SECRET, NOW))["jti"] != claims_of(mint(ANN, SECRET, NOW))["jti"]


def test_it_is_for_one_project() -> None:
    """The same ticket opens no other project."""
    with pytest.raises(TicketInvalid, match="another project"):
        verify(mint(ANN, SECRET, NOW), SECRET, uuid4(), NOW)


@pytest.mark.parametrize(
    "claim", ["iss", "aud", "sub", "name", "color", "project", "role", "credited", "iat", "exp", "jti"]
)
def test_every_claim_is_required(claim: str) -> None:
    """A correctly signed token without any one of them is refused."""
    claims = claims_of(mint(ANN, SECRET, NOW))
    del claims[claim]
    with pytest.raises(TicketInvalid):
        verify(signed(claims), SECRET, PROJECT, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"aud": "api"},
        {"role": "admin"},
        {"sub": "u_123"},
        {"sub": 5},
        {"project": None},
        {"project": []},
        {"credited": "yes"},
        {"name": 7},
        {"color": None},
        {"exp": "soon"},
        {"exp": NOW + 1e6},
        {"exp": True},
        {"iat": None},
        {"iat": int(NOW) + 3600},
    ],
)
def test_a_signed_token_with_a_wrong_claim_is_refused(changed: dict[str, object]) -> None:
    """Of the right secret but the wrong content: TicketInvalid, never another exception."""
    with pytest.raises(TicketInvalid):
        verify(signed(claims_of(mint(ANN, SECRET, NOW)) | changed), SECRET, PROJECT, NOW)


def test_a_forged_signature_is_refused() -> None:
    """Another secret, another algorithm, none at all, and a swapped payload prove nothing."""
    claims = claims_of(mint(ANN, SECRET, NOW))
    owner = mint(replace(ANN, role=Role.OWNER), "another secret, also long enough to sign", NOW)
    head, _, tail = mint(ANN, SECRET, NOW).split(".")
    forged = [
        owner,
        signed(claims, algorithm="HS512"),
        jwt.encode(claims, None, algorithm="none"),
        ".".join((head, owner.split(".")[1], tail)),
    ]
    for ticket in forged:
        with pytest.raises(TicketInvalid):
            verify(ticket, SECRET, PROJECT, NOW)


@given(st.text(max_size=200))
def test_any_text_is_refused(junk: str) -> None:
    """Whatever a client sends as its token, the answer is TicketInvalid."""
    with pytest.raises(TicketInvalid):
        verify(junk, SECRET, PROJECT, NOW)


def test_a_huge_token_is_not_even_read() -> None:
    """Longer than any ticket of ours: refused before it is decoded."""
    with pytest.raises(TicketInvalid, match="too long"):
        verify("a" * (LENGTH_MAX + 1), SECRET, PROJECT, NOW)
