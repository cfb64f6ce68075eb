"""The echo: says back what it hears. For the first run on a new gate, without a key."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn

from voicegate.settings import GeminiSettings
from voicegate.voice.session import (
    AS_CONFIGURED,
    UPLINK_RATE_HZ,
    Heed,
    ModelAudio,
    VoiceSession,
    VoiceSetup,
)

SPEECH_PEAK = 330
"""Peak (-40 dBFS) from which a chunk is worth saying back."""
HANGOVER_CHUNKS = 12
"""So many quiet chunks after speech are said back too, so that word ends are not cut."""


class EchoConversation:
    """Says back speech; silence stays silence, so that the silence clock can run."""

    speaks_first = False

    def __init__(self) -> None:
        self._heed: Heed | None = None
        self._open_chunks = 0

    async def send_audio(self, pcm16: bytes) -> None:
        """Say the sound back at once."""
        if max(memoryview(pcm16).cast("h"), default=0) >= SPEECH_PEAK:
            self._open_chunks = HANGOVER_CHUNKS
        if self._heed is not None and self._open_chunks > 0:
            self._open_chunks -= 1
            self._heed(ModelAudio(pcm16, UPLINK_RATE_HZ))

    async def greet(self, instruction: str) -> None:
        """Do nothing: an echo does not begin."""

    async def send_text(self, text: str) -> None:
        """Do nothing: an echo has no words."""

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        """Do nothing: an echo calls no tools."""

    async def listen(self, heed: Heed) -> NoReturn:
        """Hand over what is said back; an echo is never over."""
        self._heed = heed
        await asyncio.Event().wait()
        raise AssertionError("an echo is never over")

    def renew(self, why: str) -> None:
        """Do nothing: an echo has nothing to forget."""


class Echo:
    """The voice that needs nothing."""

    def __init__(self) -> None:
        self.open_conversations = 0

    def adopt(self, settings: GeminiSettings) -> None:
        """Do nothing: there is nothing to set about an echo."""

    @asynccontextmanager
    async def converse(
        self,
        setup: VoiceSetup = AS_CONFIGURED,  # noqa: ARG002
    ) -> AsyncIterator[VoiceSession]:
        """Open a conversation at once."""
        self.open_conversations += 1
        try:
            yield EchoConversation()
        finally:
            self.open_conversations -= 1
