"""What this floor can be told: the section `VOICE__*`. Without keys there is no voice, and nothing else changes."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

DAILY_URL = "https://api.daily.co/v1"


def _base64(secret: SecretStr) -> SecretStr:
    try:
        base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64, as Daily shows it") from None
    return secret


class LiveKitKeys(BaseModel):
    """A LiveKit server. `url` is where browsers connect; its API is asked at the same place, by http."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str = Field(default="", pattern=r"^((wss?|https?)://[^\s;,'\"]+)?$")
    api_key: str = ""
    api_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _whole(self) -> "LiveKitKeys":
        given = (bool(self.url), bool(self.api_key), bool(self.api_secret.get_secret_value()))
        if any(given) and not all(given):
            raise ValueError("URL, API_KEY and API_SECRET belong together: set all of them or none")
        return self

    @property
    def complete(self) -> bool:
        return bool(self.url)

    @property
    def origins(self) -> Sequence[str]:
        """Whom a client in a browser speaks to: the websocket, and the same by http, which says why it failed."""
        there = urlsplit(self.url)
        host, safely = there.netloc.rpartition("@")[2], "s" if there.scheme in ("wss", "https") else ""
        return (f"ws{safely}://{host}", f"http{safely}://{host}") if host else ()


class DailyKeys(BaseModel):
    """A Daily.co domain. Without `webhook_secret` (base64, of the webhook) its webhooks are not believed."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str = Field(default=DAILY_URL, pattern=r"^https?://[^\s]+$")
    api_key: SecretStr = SecretStr("")
    webhook_secret: Annotated[SecretStr, AfterValidator(_base64)] = SecretStr("")

    @property
    def complete(self) -> bool:
        return bool(self.api_key.get_secret_value())


class VoiceSettings(BaseModel):
    """Which provider, and what holds for every room."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    provider: Literal["livekit", "daily"] = "livekit"
    livekit: LiveKitKeys = LiveKitKeys()
    daily: DailyKeys = DailyKeys()
    token_minutes: int = Field(default=5, ge=1, le=60)
    """How long a token lets somebody in; who is in stays in."""
    idle_minutes: int = Field(default=60, ge=1, le=24 * 60)
    """A room that nobody enters, or that everybody has left, ends after this time."""
    participants_max: int = Field(default=10, ge=2, le=200)
    timeout_seconds: float = Field(default=4, gt=0, le=60)
    """Of one call to the provider."""
    look_seconds: float = Field(default=15, ge=0)
    """A room is looked up at the provider at most this often; in between we know from its webhooks."""

    @property
    def complete(self) -> bool:
        """True if the chosen provider has its keys."""
        return self.livekit.complete if self.provider == "livekit" else self.daily.complete

    @property
    def origins(self) -> Sequence[str]:
        """What our own page connects to for voice. Daily's room is a page of its own."""
        return self.livekit.origins if self.provider == "livekit" else ()
