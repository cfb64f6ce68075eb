"""The bridge's own decisions, with a fake line and a fake voice."""

import asyncio
from typing import cast

import pytest

from tests.voicegate.stage import AUDIO, LOUD, FakeLine, FakeVoice, Stage
from voicegate.bridge import CHECK_IN, downlink, max_duration, no_speech, uplink
from voicegate.endings import HangupReason, SilenceClock
from voicegate.media.resample import Resampler
from voicegate.tools.running import ToolRuns
from voicegate.voice.session import VoiceError, VoiceEvent

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


class NoTools:
    def heed(self, event: VoiceEvent) -> None:
        """The model may call nothing."""


async def test_what_was_said_before_the_voice_was_lost_is_heard(stage: Stage) -> None:
    stage.loop.call_later(3.0, stage.line.played)
    with pytest.raises(VoiceError, match="lost"):
        await downlink(FakeVoice(chunks=0), stage.talk, cast(ToolRuns, NoTools()))
    assert stage.elapsed_s == pytest.approx(3.0, abs=0.05)


async def test_silence_ends_the_call_and_each_sound_moves_the_clock(stage: Stage) -> None:
    stage.loop.call_later(3.0, stage.line.played)
    assert await no_speech(stage.media, FakeVoice(), stage.silence) is HangupReason.NO_SPEECH
    assert stage.elapsed_s == pytest.approx(18.0)


async def test_a_digit_moves_the_clock(stage: Stage) -> None:
    def press() -> None:
        stage.line.last_digit_at = stage.loop.time()

    stage.loop.call_later(10.0, press)
    assert await no_speech(stage.media, FakeVoice(), stage.silence) is HangupReason.NO_SPEECH
    assert stage.elapsed_s == pytest.approx(25.0)


async def test_the_longest_duration(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert await max_duration(FakeVoice(), stage.talk, 100.0, 0.0) is HangupReason.MAX_DURATION
    assert loop.time() - began_at == pytest.approx(100.0)


async def test_the_model_asks_whether_the_caller_is_there(stage: Stage) -> None:
    voice = FakeVoice()
    silence = SilenceClock(stage.began_at, 15.0, 8.0)
    stage.loop.call_later(10.0, stage.line.played)
    assert await no_speech(stage.media, voice, silence) is HangupReason.NO_SPEECH
    [(at, words)] = voice.told
    assert at - stage.began_at == pytest.approx(8.0)
    assert words == CHECK_IN
    assert stage.elapsed_s == pytest.approx(15.0)


async def test_the_model_is_warned_before_the_longest_duration(stage: Stage) -> None:
    voice = FakeVoice()
    assert await max_duration(voice, stage.talk, 100.0, 30.0) is HangupReason.MAX_DURATION
    [(at, words)] = voice.told
    assert at - stage.began_at == pytest.approx(70.0)
    assert "30 seconds" in words
    assert stage.elapsed_s == pytest.approx(100.0)


async def test_the_warning_does_not_cut_what_the_model_says(stage: Stage) -> None:
    voice = FakeVoice()
    stage.talk.heed(AUDIO)
    assert await max_duration(voice, stage.talk, 100.0, 30.0) is HangupReason.MAX_DURATION
    [(at, words)] = voice.told
    assert at - stage.began_at == pytest.approx(85.0, abs=0.1)
    assert "15 seconds" in words
    assert stage.elapsed_s == pytest.approx(100.0)


async def test_a_call_too_short_for_a_warning_has_none(stage: Stage) -> None:
    voice = FakeVoice()
    await max_duration(voice, stage.talk, 20.0, 30.0)
    assert voice.told == []
    assert stage.elapsed_s == pytest.approx(20.0)


class LoudLine(FakeLine):
    """A line on which the caller, or our echo, never falls silent."""

    async def hear(self, frames: int = 1) -> bytes:
        await asyncio.sleep(0.02 * frames)
        return LOUD * frames


async def test_half_duplex_is_silence_while_we_sound_and_a_tail(stage: Stage) -> None:
    stage.line = LoudLine()
    stage.line.say(bytes(1600), 8000)
    stage.loop.call_later(1.0, stage.line.played)
    voice = FakeVoice(chunks=50)
    with pytest.raises(VoiceError):
        await uplink(stage.media, voice, stage.talk, half_duplex_tail_s=0.3)
    muted = [not any(chunk) for chunk in voice.sent]
    assert muted.count(True) == pytest.approx(1.3 / 0.04, abs=2)
    assert muted == sorted(muted, reverse=True)


async def test_trap_12_full_duplex_is_the_callers_sound_always(stage: Stage) -> None:
    stage.line = LoudLine()
    stage.line.say(bytes(1600), 8000)
    voice = FakeVoice(chunks=5)
    with pytest.raises(VoiceError):
        await uplink(stage.media, voice, stage.talk)
    assert voice.sent[1] == Resampler(8000, 16000).process(LOUD * 4)[1280:]
