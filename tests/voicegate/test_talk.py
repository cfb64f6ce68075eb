"""What is going on in a conversation, event by event."""

import asyncio

import pytest

from tests.voicegate.stage import AUDIO, LOUD, QUIET, Stage
from voicegate.endings import HangupReason
from voicegate.story import Event, Happening
from voicegate.talk import FAREWELL_LIMIT_S, SETTLE_S
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    GoAway,
    Interrupted,
    ModelText,
    Reconnected,
    Reconnecting,
    TurnComplete,
)

pytestmark = pytest.mark.virtual


@pytest.fixture
async def stage() -> Stage:
    return Stage()


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
    for _ in range(10):
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
