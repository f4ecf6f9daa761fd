"""The servers an operator points to with DATABASE__URL and BUS__URL: are they there, and is the database up to date?"""

from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from launch.errors import LaunchError
from persistence.errors import PersistenceError
from persistence.migrate import migrate


async def prepare_database(url: str) -> list[str]:
    """Apply missing migrations and return their names; LaunchError says what is wrong with address or server."""
    if urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise LaunchError("DATABASE__URL is not the address of a PostgreSQL database (postgresql://user@host/name).")
    try:
        return await migrate(url)
    except PersistenceError as error:
        raise LaunchError(f"The database cannot be brought to this version: {error}.") from error
    except (OSError, TimeoutError) as error:
        raise LaunchError(f"The database {_place(url)} cannot be reached: {_why(error)}.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise LaunchError(f"The database {_place(url)} refuses: {_why(error)}.") from error


async def check_bus(url: str) -> None:
    """LaunchError says what is wrong with the bus at `url`."""
    try:
        bus = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    except ValueError as error:
        raise LaunchError(
            "BUS__URL is not the address of a Redis or Valkey (redis://host:6379 or unix:///path)."
        ) from error
    try:
        await bus.publish("backline:hello", b"")
    except (RedisError, OSError) as error:
        raise LaunchError(f"The bus {_place(url)} cannot be reached: {_why(error)}.") from error
    finally:
        await bus.aclose()


def _place(url: str) -> str:
    """Where `url` points to, without its password."""
    parts = urlsplit(url)
    return (
        f"at {parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc.rpartition("@")[2] else f"at {parts.path}"
    )


def _why(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
