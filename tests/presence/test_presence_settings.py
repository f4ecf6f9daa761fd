"""Settings refuse what could never work or would not be safe."""

import pytest
from pydantic import ValidationError

from presence.settings import BusSettings, TicketSettings


def test_a_short_secret_is_refused_and_never_shown() -> None:
    """Fewer than 32 characters can be guessed; neither the error nor the settings' text tells the secret."""
    with pytest.raises(ValidationError) as refused:
        TicketSettings.model_validate({"secret": "hunter2hunter2"})
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(TicketSettings.model_validate({"secret": "hunter2" * 5}))
    assert "at least 32" in str(refused.value)


@pytest.mark.parametrize("url", ["", "amqp://x", "localhost:6379"])
def test_a_bus_of_another_kind_is_refused(url: str) -> None:
    """The url names Redis, a socket or memory, or is refused."""
    with pytest.raises(ValidationError, match="redis://"):
        BusSettings(url=url)
