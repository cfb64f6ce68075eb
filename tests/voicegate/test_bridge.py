"""The bridge's own decisions, with a fake line and a fake voice."""

import asyncio

import pytest

from tests.voicegate.stage import FakeVoice, Stage
from voicegate.bridge import max_duration, no_speech, uplink
from voicegate.endings import HangupReason
from voicegate.voice.session import VoiceError

pytestmark = pytest.mark.virtual


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_forty_milliseconds_go_up_at_a_time_at_double_rate(stage: Stage) -> None:
    voice = FakeVoice(chunks=25)
    with pytest.raises(VoiceError, match="lost"):
        await uplink(stage.media, voice, stage.talk)
    assert {len(chunk) for chunk in voice.sent} == {1280}
    assert stage.elapsed_s == pytest.approx(1.0)


async def test_silence_ends_the_call_and_each_sound_moves_the_clock(stage: Stage) -> None:
    stage.loop.call_later(3.0, stage.line.played)
    assert await no_speech(stage.media, stage.silence) is HangupReason.NO_SPEECH
    assert stage.elapsed_s == pytest.approx(18.0)


async def test_a_digit_moves_the_clock(stage: Stage) -> None:
    def press() -> None:
        stage.line.last_digit_at = stage.loop.time()

    stage.loop.call_later(10.0, press)
    assert await no_speech(stage.media, stage.silence) is HangupReason.NO_SPEECH
    assert stage.elapsed_s == pytest.approx(25.0)


async def test_the_longest_duration() -> None:
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert await max_duration(100.0) is HangupReason.MAX_DURATION
    assert loop.time() - began_at == pytest.approx(100.0)
