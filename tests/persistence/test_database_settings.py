"""Settings refuse what could never work."""

import pytest
from pydantic import ValidationError

from persistence.settings import DatabaseSettings


@pytest.mark.parametrize("url", ["", "mysql://x/y", "/tmp/socket"])
def test_an_address_that_is_no_postgres_is_refused(url: str) -> None:
    """The url names PostgreSQL or is refused."""
    with pytest.raises(ValidationError, match="postgresql://"):
        DatabaseSettings(url=url)


def test_a_password_is_not_told_in_the_error() -> None:
    """What is wrong is said without repeating the address."""
    with pytest.raises(ValidationError) as refused:
        DatabaseSettings(url="mysql://me:hunter2@x/y")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("field", ["connections_max", "connect_timeout_seconds", "command_timeout_seconds"])
def test_a_size_or_time_of_nothing_is_refused(field: str) -> None:
    """At least one connection, and time to answer."""
    with pytest.raises(ValidationError, match=field):
        DatabaseSettings.model_validate({"url": "postgresql:///x", field: 0})
