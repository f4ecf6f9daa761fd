"""What this floor can be told: the sections `BUS__*` and `TICKETS__*`."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

SECRET_MIN = 32


def _server(url: str) -> str:
    if url.startswith("memory:"):
        raise ValueError("memory:// joins no processes: name a Redis or Valkey (redis://, rediss:// or unix://)")
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must name a Redis or Valkey (redis://, rediss:// or unix://)")
    return url


class BusSettings(BaseModel):
    """Where the bus is and how much may wait for it while it is away.

    No default and no bus in memory: two processes that hear nothing of each other would look healthy.
    """

    model_config = ConfigDict(frozen=True)

    url: Annotated[str, AfterValidator(_server)] = Field(default="", validate_default=True)
    queue_events_max: int = Field(default=10_000, ge=1)
    queue_bytes_max: int = Field(default=16 << 20, ge=1)
    batch_events_max: int = Field(default=64, ge=1)
    socket_timeout_seconds: float = Field(default=2, gt=0)
    subscribe_timeout_seconds: float = Field(default=2, gt=0)
    ping_seconds: float = Field(default=1, gt=0)
    retry_first_seconds: float = Field(default=0.05, gt=0)
    retry_max_seconds: float = Field(default=1, gt=0)


class TicketSettings(BaseModel):
    """The secret that API and collab server share, and how long a ticket is good for."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    secret: SecretStr = Field(min_length=SECRET_MIN)
    ttl_seconds: int = Field(default=300, ge=10, le=3600)
