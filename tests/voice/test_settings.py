"""What voice can be told, and what it refuses to start with."""

from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from voice.opening import open_provider
from voice.rooms import project_of, room_of, user_of
from voice.settings import VoiceSettings

LIVEKIT = {"url": "wss://voice.test", "api_key": "k", "api_secret": "s" * 32}


async def test_without_keys_there_is_no_provider() -> None:
    """Neither by default nor when one is only named."""
    for provider in ("livekit", "daily"):
        settings = VoiceSettings.model_validate({"provider": provider})
        assert not settings.complete
        async with open_provider(settings) as found:
            assert found is None


async def test_the_named_provider_is_opened() -> None:
    """Keys of the other one do not matter."""
    both = {"livekit": LIVEKIT, "daily": {"api_key": "k"}}
    for provider in ("livekit", "daily"):
        async with open_provider(VoiceSettings.model_validate({"provider": provider, **both})) as found:
            assert found is not None
            assert found.name == provider


@pytest.mark.parametrize("missing", LIVEKIT)
def test_half_of_the_keys_is_a_mistake(missing: str) -> None:
    """It is said at the start, not when somebody wants to speak; and no secret is printed."""
    with pytest.raises(ValidationError, match="belong together") as caught:
        VoiceSettings.model_validate({"livekit": {**LIVEKIT, missing: ""}})
    assert "s" * 32 not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("wss://voice.test", ("wss://voice.test", "https://voice.test")),
        ("https://voice.test:7443/behind/", ("wss://voice.test:7443", "https://voice.test:7443")),
        ("ws://ann:secret@[::1]:7880", ("ws://[::1]:7880", "http://[::1]:7880")),
    ],
)
def test_a_page_speaks_to_one_host(url: str, origins: tuple[str, str]) -> None:
    """By websocket and by http, without path and password; to none where Daily has the voices or nobody has."""
    keys = {"livekit": {**LIVEKIT, "url": url}}
    assert VoiceSettings.model_validate(keys).origins == origins
    assert VoiceSettings.model_validate({"provider": "daily", **keys}).origins == ()
    assert VoiceSettings().origins == ()


def test_a_voice_server_cannot_widen_what_the_page_may() -> None:
    """Its address stands in a header: what would end a directive there is refused at the start."""
    for url in ("wss://voice.test;script-src", "wss://a,b", "wss://'unsafe-inline'"):
        with pytest.raises(ValidationError, match="pattern"):
            VoiceSettings.model_validate({"livekit": {**LIVEKIT, "url": url}})


def test_a_webhook_secret_is_base64() -> None:
    """As Daily shows it: another form would refuse every webhook later."""
    with pytest.raises(ValidationError, match="base64"):
        VoiceSettings.model_validate({"daily": {"api_key": "k", "webhook_secret": "not base64!"}})


def test_a_room_names_its_project_and_no_other() -> None:
    """Back and forth, in 40 plain characters; a stranger's room is nobody's."""
    project_id = uuid4()
    assert project_of(room_of(project_id)) == project_id
    assert len(room_of(project_id)) <= 40
    for other in ("", "b-", "lobby", room_of(project_id).upper(), room_of(project_id) + "0", str(project_id)):
        assert project_of(other) is None


def test_an_identity_is_a_user_or_a_machine() -> None:
    """One spelling of an id is a user's; everything else is not."""
    user = UUID("22222222-2222-4222-8222-222222222222")
    assert user_of(str(user)) == user
    for other in ("", "EG_1", user.hex, f"{{{user}}}", str(user).replace("2", "é", 1)):
        assert user_of(other) is None
