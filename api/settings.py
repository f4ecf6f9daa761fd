"""Settings of the HTTP app: one section per floor, every limit with its unit in its name."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from persistence.settings import DatabaseSettings, PlanSettings
from presence.settings import BusSettings, TicketSettings
from voice.settings import VoiceSettings


class ApiSettings(BaseModel):
    """Where the app listens, what it serves and how much it takes."""

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^/\s]+$")
    studio_dist: Path | None = None
    trusted_proxies: str = ""
    """Addresses whose X-Forwarded-For is believed, comma-separated; empty believes nobody."""
    body_bytes_max: int = Field(default=256 * 1024, ge=1024)
    guests_per_hour_max: int = Field(default=600, ge=1)
    """New guest accounts per client address (of IPv6: per /64)."""
    projects_per_owner_max: int = Field(default=500, ge=1)
    """Deleted ones count until they are gone for good."""
    snapshots_per_project_max: int = Field(default=200, ge=1)
    """Named ones: each holds the whole document, and nothing but a person deletes it."""
    invites_per_project_max: int = Field(default=100, ge=1)
    """Invitations that are open."""
    made_per_hour_max: int = Field(default=600, ge=1)
    """New projects and invitations per account."""
    heavy_per_hour_max: int = Field(default=120, ge=1)
    """Snapshots, restores, forks and drafts that are read, per account: each takes or makes a whole document."""
    session_days: int = Field(default=365, ge=1)
    ready_seconds_max: float = Field(default=2, gt=0)
    shutdown_seconds_max: int = Field(default=10, ge=1)


class CollabAddress(BaseModel):
    """Where browsers reach the collab server."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    public_url: str = Field(default="ws://127.0.0.1:8001", pattern=r"^wss?://[^/\s]+$")


class LogSettings(BaseModel):
    """How much is logged."""

    model_config = ConfigDict(frozen=True)

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything `python -m api` reads from its environment."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    database: DatabaseSettings
    bus: BusSettings
    tickets: TicketSettings
    plans: PlanSettings = PlanSettings()
    collab: CollabAddress = CollabAddress()
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()
    voice: VoiceSettings = VoiceSettings()
