"""What this floor can be told: the section `DATABASE__*` and how long snapshots are kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from studio.plans import Plan


def _postgres(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("must begin with postgresql://")
    return url


class DatabaseSettings(BaseModel):
    """Where the database is and how many connections one process may hold."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_postgres)]
    connections_min: int = Field(default=1, ge=0, le=100)
    connections_max: int = Field(default=8, ge=1, le=100)
    connect_timeout_seconds: float = Field(default=10, gt=0)
    command_timeout_seconds: float = Field(default=30, gt=0)


class PlanSettings(BaseModel):
    """The plan of owners who have none of their own; without it the number of people is not limited by a plan."""

    model_config = ConfigDict(frozen=True)

    default: Plan | None = None

    @field_validator("default", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class RetentionSettings(BaseModel):
    """An automatic snapshot is kept while it is among the newest or young enough; a draft while it is young enough.

    `history_age`: how far back every moment of a document can be rebuilt.
    """

    model_config = ConfigDict(frozen=True)

    automatic_newest: int = Field(default=50, ge=0)
    automatic_age: timedelta = timedelta(days=30)
    draft_age: timedelta = timedelta(days=30)
    history_age: timedelta = timedelta(days=90)
