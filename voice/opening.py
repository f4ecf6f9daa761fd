"""The provider that is configured. Its library is loaded only then: LiveKit's alone takes 34 MiB and half a second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voice.provider import VoiceProvider
from voice.settings import VoiceSettings


@asynccontextmanager
async def open_provider(settings: VoiceSettings) -> AsyncIterator[VoiceProvider | None]:
    """The provider, None without keys. It is not asked anything yet: voice may be away while the studio is not."""
    if not settings.complete:
        yield None
    elif settings.provider == "livekit":
        from voice.livekit import open_livekit  # noqa: PLC0415

        async with open_livekit(settings) as livekit:
            yield livekit
    else:
        from voice.daily import open_daily  # noqa: PLC0415

        async with open_daily(settings) as daily:
            yield daily
