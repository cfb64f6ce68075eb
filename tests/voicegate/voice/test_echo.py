"""The echo says back speech, not silence."""

import asyncio
import struct

from voicegate.voice.echo import HANGOVER_CHUNKS, Echo
from voicegate.voice.session import ModelAudio, VoiceEvent

LOUD = struct.pack("<640h", *([8000, -8000] * 320))
SILENCE = bytes(1280)


async def echoed(*chunks: bytes) -> list[VoiceEvent]:
    heard: list[VoiceEvent] = []
    async with Echo().converse() as voice:
        listening = asyncio.ensure_future(voice.listen(heard.append))
        await asyncio.sleep(0)
        for chunk in chunks:
            await voice.send_audio(chunk)
        listening.cancel()
        await asyncio.wait((listening,))
    return heard


async def test_speech_comes_back_at_once() -> None:
    assert await echoed(LOUD) == [ModelAudio(LOUD, 16000)]


async def test_silence_stays_silence() -> None:
    assert await echoed(SILENCE, SILENCE) == []


async def test_the_end_of_a_word_is_not_cut() -> None:
    assert len(await echoed(LOUD, *[SILENCE] * 50)) == HANGOVER_CHUNKS


async def test_open_conversations_are_counted() -> None:
    echo = Echo()
    async with echo.converse() as voice:
        assert echo.open_conversations == 1
        await voice.greet("Hello")
        await voice.send_text("The caller pressed a key.")
        voice.renew("nobody answers")
    assert echo.open_conversations == 0
