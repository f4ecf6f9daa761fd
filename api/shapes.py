"""Shapes that several resources share. What comes in is strict and takes no unknown field; what goes out is frozen."""

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from studio.fields import utf16_length

T = TypeVar("T")

CURSOR_MAX = 400
PAGE_ITEMS = 50
PAGE_ITEMS_MAX = 100


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Shape(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True)


def _line(units_max: int) -> AfterValidator:
    def check(text: str) -> str:
        clean = text.strip()
        if not clean or utf16_length(clean) > units_max:
            raise ValueError(f"1 to {units_max} characters")
        if not clean.isprintable():
            raise ValueError("one line without control characters")
        return clean

    return AfterValidator(check)


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("no NUL")
    return text


Name = Annotated[str, Field(max_length=80), _line(80)]
Title = Annotated[str, Field(max_length=120), _line(120)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_text)]
Reference = Annotated[str, Field(min_length=1, max_length=160), AfterValidator(_text)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
GivenRole = Literal["editor", "commenter", "viewer"]
AnyRole = Literal["owner", "editor", "commenter", "viewer"]
Cursor = Annotated[str | None, Query(max_length=CURSOR_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX)]


class Person(Shape):
    """Somebody as others see them."""

    id: UUID
    name: str
    color: str


class User(Person):
    """An account as its owner and fellow members see it."""

    username: str
    kind: Literal["guest", "member"]


class TrackLock(Shape):
    """Who holds a track, and until when (ms since 1970)."""

    track: str
    user: str
    until: int


class Page(Shape, Generic[T]):
    """A part of a list; `next_cursor` asks for the next part, null at the end."""

    items: Sequence[T]
    next_cursor: str | None


class Problem(Shape):
    """Why a request was refused."""

    code: str
    message: str


class Refusal(Shape):
    """The body of every answer that is not a success; `error` may carry more fields."""

    error: Problem
