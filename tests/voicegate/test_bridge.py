"""The bridge's own decisions, with a fake line and a fake voice."""

import asyncio
import struct
from collections.abc import Mapping
from typing import NoReturn, cast

import pytest

from voicegate.bridge import (
    FAREWELL_LIMIT_S,
    SETTLE_S,
    Talk,
    max_duration,
    no_speech,
    uplink,
)
from voicegate.endings import HangupReason, SilenceClock
from voicegate.goodbye import GoodbyeWatch, Speaker, load_phrases
from voicegate.media.session import MediaSession
from voicegate.story import Event, Happening, Story
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    GoAway,
    Heed,
    Interrupted,
    ModelAudio,
    ModelText,
    Reconnected,
    Reconnecting,
    TurnComplete,
    VoiceError,
    VoiceEvent,
)

pytestmark = pytest.mark.virtual

LOUD = struct.pack("<160h", *([8000, -8000] * 80))
QUIET = bytes(320)
AUDIO = ModelAudio(bytes(4800), 24000)


class FakeLine:
    """The media side as the bridge sees it: 100 ms of sound stay queued until they are played."""

    def __init__(self) -> None:
        self.queued_ms = 0.0
        self.flushed = 0
        self.last_played_at: float | None = None
        self.last_digit_at: float | None = None
        self._drained = asyncio.Event()
        self._drained.set()

    def say(self, pcm16: bytes, sample_rate_hz: int) -> None:
        self.queued_ms += len(pcm16) / 2 / sample_rate_hz * 1000
        self._drained.clear()

    def flush(self) -> float:
        self.flushed += 1
        self.played()
        return 0.0

    def played(self) -> None:
        self.queued_ms = 0.0
        self.last_played_at = asyncio.get_running_loop().time()
        self._drained.set()

    async def drained(self) -> None:
        await self._drained.wait()

    async def hear(self, frames: int = 1) -> bytes:
        await asyncio.sleep(0.02 * frames)
        return QUIET * frames


class FakeVoice:
    """A voice that keeps what it is sent and is lost after so many chunks."""

    def __init__(self, chunks: int) -> None:
        self.sent: list[bytes] = []
        self._chunks = chunks

    async def send_audio(self, pcm16: bytes) -> None:
        self.sent.append(pcm16)
        if len(self.sent) == self._chunks:
            raise VoiceError("lost")

    async def greet(self, instruction: str) -> None:
        raise AssertionError("not asked for")

    async def send_text(self, text: str) -> None:
        raise AssertionError("not asked for")

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        raise AssertionError("not asked for")

    async def listen(self, heed: Heed) -> NoReturn:
        raise AssertionError("not asked for")

    def renew(self, why: str) -> None:
        raise AssertionError("not asked for")


class Stage:
    """A talk over a fake line, with the clock of its loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.line = FakeLine()
        self.silence = SilenceClock(self.loop.time(), 15.0)
        watch = GoodbyeWatch(load_phrases(), (Speaker.CALLER, Speaker.MODEL))
        self.story = Story(self.loop.time)
        self.talk = Talk(self.media, self.silence, watch, self.story)
        self.began_at = self.loop.time()

    @property
    def media(self) -> MediaSession:
        return cast(MediaSession, self.line)

    @property
    def elapsed_s(self) -> float:
        return self.loop.time() - self.began_at

    def after(self, seconds: float, *events: VoiceEvent) -> None:
        for event in events:
            self.loop.call_later(seconds, self.talk.heed, event)


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_forty_milliseconds_go_up_at_a_time_at_double_rate(stage: Stage) -> None:
    voice = FakeVoice(chunks=25)
    with pytest.raises(VoiceError, match="lost"):
        await uplink(stage.media, voice, stage.talk)
    assert {len(chunk) for chunk in voice.sent} == {1280}
    assert stage.elapsed_s == pytest.approx(1.0)


async def test_an_interruption_flushes_at_once(stage: Stage) -> None:
    stage.talk.heed(AUDIO)
    stage.talk.heed(Interrupted())
    assert (stage.line.flushed, stage.talk.interruptions) == (1, 1)


async def test_the_response_time_runs_from_the_end_of_speech_to_the_first_sound(
    stage: Stage,
) -> None:
    for _ in range(10):
        stage.talk.caller_frame(LOUD)
    await asyncio.sleep(0.7)
    stage.talk.heed(AUDIO)
    stage.talk.heed(AUDIO)
    assert stage.talk.response_s == [pytest.approx(0.7)]


async def test_a_goodbye_of_the_model_waits_for_generation_and_playout(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."))
    stage.after(3.0, GenerationComplete(), TurnComplete())
    stage.loop.call_later(4.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(4.0 + SETTLE_S)


async def test_a_goodbye_of_the_caller_waits_for_the_models_farewell(stage: Stage) -> None:
    stage.after(1.0, CallerText("Goodbye."))
    stage.after(2.0, AUDIO)
    stage.after(3.0, GenerationComplete(), TurnComplete())
    stage.loop.call_later(5.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(5.0 + SETTLE_S)


async def test_a_farewell_that_never_comes_is_bounded(stage: Stage) -> None:
    stage.after(1.0, CallerText("Goodbye."))
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.0 + FAREWELL_LIMIT_S + SETTLE_S)


async def test_a_playout_that_never_ends_is_bounded_too(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."), GenerationComplete())
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.0 + 0.1 + 2.0 + SETTLE_S)


async def test_a_goodbye_that_is_taken_back_ends_nothing(stage: Stage) -> None:
    stage.after(1.0, CallerText("Goodbye"))
    stage.after(1.5, CallerText(" Yellow Brick Road is what I like"))
    stage.after(2.0, AUDIO, GenerationComplete(), TurnComplete())
    stage.loop.call_later(3.0, stage.line.played)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await stage.talk.said_goodbye()


async def test_words_of_an_earlier_turn_are_no_goodbye(stage: Stage) -> None:
    stage.talk.heed(ModelText("I never say good"))
    stage.talk.heed(TurnComplete())
    stage.talk.heed(ModelText("bye"))
    stage.talk.heed(TurnComplete())
    stage.talk.heed(ModelText("-law is a codec."))
    stage.talk.heed(GoAway(50.0))
    assert stage.talk.turns == 2


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


async def test_a_transcript_moves_the_clock_only_where_the_level_showed_nothing(
    stage: Stage,
) -> None:
    for _ in range(10):
        stage.talk.caller_frame(LOUD)
    stage.after(2.0, CallerText("hello"))
    stage.after(5.0, CallerText("   "))
    await asyncio.sleep(6.0)
    assert stage.silence.quiet_since == stage.began_at
    stage.talk.heed(CallerText("very quiet"))
    assert stage.silence.quiet_since == stage.loop.time()


async def test_the_longest_duration() -> None:
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert await max_duration(100.0) is HangupReason.MAX_DURATION
    assert loop.time() - began_at == pytest.approx(100.0)


async def test_the_story_tells_who_said_what_and_when(stage: Stage) -> None:
    told: list[Event] = []
    stage.story.listen(told.append)
    stage.after(1.0, CallerText("hello"))
    stage.after(1.5, ModelText("good day"))
    stage.after(2.0, Interrupted())
    stage.after(2.5, TurnComplete("RESPONSE_REJECTED"))
    await asyncio.sleep(3)
    assert [(one.at_s - stage.began_at, one.what, *one.fields.values()) for one in told] == [
        (pytest.approx(1.0), Happening.CALLER_SAID, "hello"),
        (pytest.approx(1.5), Happening.MODEL_SAID, "good day"),
        (pytest.approx(2.0), Happening.INTERRUPTED),
        (pytest.approx(2.5), Happening.TURN_COMPLETE, "RESPONSE_REJECTED"),
    ]


async def test_a_lost_and_a_new_connection_go_into_the_story(stage: Stage) -> None:
    told: list[Event] = []
    stage.story.listen(told.append)
    stage.talk.heed(Reconnecting("1011"))
    stage.talk.heed(Reconnected(resumed=True, ms=120.0))
    assert [(one.what, dict(one.fields)) for one in told] == [
        (Happening.RECONNECTING, {"why": "1011"}),
        (Happening.RECONNECTED, {"resumed": True, "ms": 120.0}),
    ]


async def test_the_story_tells_who_speaks(stage: Stage) -> None:
    told: list[Event] = []
    stage.story.listen(told.append)
    for _ in range(10):
        stage.talk.caller_frame(LOUD)
    for _ in range(50):
        stage.talk.caller_frame(QUIET)
    stage.talk.heed(AUDIO)
    stage.talk.caller_frame(QUIET)
    stage.line.played()
    stage.talk.caller_frame(QUIET)
    stage.talk.heed(AUDIO)
    stage.talk.heed(Interrupted())
    assert [one.what for one in told] == [
        Happening.CALLER_SPEAKS,
        Happening.CALLER_SILENT,
        Happening.MODEL_SPEAKS,
        Happening.MODEL_SILENT,
        Happening.MODEL_SPEAKS,
        Happening.INTERRUPTED,
        Happening.MODEL_SILENT,
    ]
