"""What the operators' commands read from their environment: the same names as the server's."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collab_server.settings import OperatorSettings
from persistence.settings import DatabaseSettings
from presence.settings import BusSettings


class StoreSettings(BaseSettings):
    """For commands on stored documents: the database, and the bus, if there is one, to ring for open rooms."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore")

    database: DatabaseSettings
    bus: BusSettings | None = None


class NodeAddress(BaseModel):
    """Where the node of this machine listens."""

    model_config = ConfigDict(extra="ignore")

    host: str = "127.0.0.1"
    port: int = 8001


class NodeSettings(BaseSettings):
    """For commands on running nodes: which one when none is named, and the token."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore")

    collab: NodeAddress = Field(default_factory=NodeAddress)
    operator: OperatorSettings = Field(default_factory=OperatorSettings)

    @property
    def url(self) -> str:
        """The node of this machine; one that listens everywhere is asked at 127.0.0.1."""
        host = "127.0.0.1" if self.collab.host in {"0.0.0.0", "::", ""} else self.collab.host  # noqa: S104
        return f"http://[{host}]:{self.collab.port}" if ":" in host else f"http://{host}:{self.collab.port}"
