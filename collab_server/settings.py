"""Settings of the collab server: one section for the server, one for every limit, each with its unit in its name."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from persistence.settings import DatabaseSettings, PlanSettings, RetentionSettings
from presence.settings import BusSettings, TicketSettings

OPERATOR_TOKEN_MIN = 16


class Limits(BaseModel):
    """A limit on everything a client can make the server hold or do."""

    frame_bytes_max: int = 2 * 1024 * 1024
    update_bytes_max: int = 1024 * 1024
    update_structs_max: int = 25_000
    document_bytes_max: int = 16 * 1024 * 1024
    presence_entry_bytes_max: int = 4096
    presence_ids_per_connection_max: int = 4
    members_per_room_max: int = 500
    members_per_room_and_person_max: int = 50
    rooms_max: int = 20_000
    connections_max: int = 25_000
    documents_per_socket_max: int = 100
    control_message_bytes_max: int = 4096
    control_sockets_per_project_max: int = 500
    control_sockets_per_project_and_person_max: int = 50
    control_messages_per_second_max: int = 50
    control_messages_burst_max: int = 150
    outbox_bytes_max: int = 1024 * 1024
    waiting_bytes_max: int = 2 * 1024 * 1024
    waiting_frames_max: int = 64
    handshake_seconds_max: float = 5.0
    messages_per_second_max: int = 20_000
    messages_burst_max: int = 40_000
    bytes_per_second_max: int = 4 * 1024 * 1024
    bytes_burst_max: int = 32 * 1024 * 1024
    unsaved_bytes_max: int = 64 * 1024 * 1024
    merge_snapshot_edits_min: int = 200
    merge_snapshot_seconds_min: float = 600.0


class CollabSettings(BaseModel):
    """Where the server listens, how long it gathers, and when it saves."""

    host: str = "127.0.0.1"
    port: int = 8001
    public_url: str = "ws://127.0.0.1:8001"
    limits: Limits = Field(default_factory=Limits)
    journal_gather_seconds: float = 0.008
    presence_gather_seconds: float = 0.05
    presence_expiry_seconds: float = 30.0
    keepalive_seconds: float = 20.0
    ping_seconds: float = 20.0
    snapshot_interval_seconds: float = 600.0
    awake_bytes_max: int = 24 * 1024 * 1024
    """Of encoded documents that are kept as yrs holds them, at some thirty times their size: beyond, they are put away
    as soon as nobody looks at them."""
    compact_after_rows: int = 1000
    compact_after_bytes: int = 2 * 1024 * 1024
    compact_at_unload_rows: int = 20
    drain_seconds_max: float = 10.0
    drain_spread_seconds: float = 5.0

    @property
    def look_seconds(self) -> float:
        """After so long at the latest a connection is looked at for the first time."""
        return min(self.keepalive_seconds, self.ping_seconds)


class OperatorSettings(BaseModel):
    """What opens `/operator/...` of a node; with an empty token there is no such place."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    token: SecretStr = SecretStr("")

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr) -> SecretStr:
        if 0 < len(token.get_secret_value()) < OPERATOR_TOKEN_MIN:
            raise ValueError(f"must have at least {OPERATOR_TOKEN_MIN} characters, or be empty")
        return token


class LogSettings(BaseModel):
    """How much is logged."""

    level: Literal["debug", "info", "warning", "error", "critical"] = "info"


class Settings(BaseSettings):
    """Everything `python -m collab_server` reads from its environment."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore")

    database: DatabaseSettings
    bus: BusSettings
    tickets: TicketSettings
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    plans: PlanSettings = Field(default_factory=PlanSettings)
    collab: CollabSettings = Field(default_factory=CollabSettings)
    operator: OperatorSettings = Field(default_factory=OperatorSettings)
    log: LogSettings = Field(default_factory=LogSettings)
