"""What may go wrong with the database without anybody's fault: logged, and tried again at the next occasion."""

from collections.abc import Awaitable
from typing import Any

from persistence.errors import TRANSIENT, PersistenceError

SETBACKS: tuple[type[Exception], ...] = (PersistenceError, *TRANSIENT)


async def attempted(log: Any, work: Awaitable[object], what: str) -> bool:
    """Whether it was done; a setback is told to `log`, a structlog logger."""
    try:
        await work
    except SETBACKS as error:
        log.warning(f"{what} failed", error=f"{type(error).__name__}: {error}")
        return False
    return True
