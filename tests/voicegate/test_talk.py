"""What is going on in a conversation, event by event."""

import asyncio

import pytest

from tests.voicegate.stage import AUDIO, LOUD, QUIET, Stage
from voicegate.endings import HangupReason
from voicegate.farewell import DOUBT_S, FAREWELL_LIMIT_S, SETTLE_S, TOOL_PATIENCE_S
from voicegate.story import Event, Happening
from voicegate.talk import COMFORT_AFTER_S, LATE_SOUND_S
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    GoAway,
    Interrupted,
    ModelText,
    Reconnected,
    Reconnecting,
    ToolCall,
    TurnComplete,
)
from voicegate.watchdogs import Alarm

pytestmark = pytest.mark.virtual

LOOK = 0.05
"""A farewell is looked at frame by frame."""


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
    assert stage.elapsed_s == pytest.approx(4.0 + SETTLE_S, abs=LOOK)


async def test_a_goodbye_of_the_caller_waits_for_the_models_farewell(stage: Stage) -> None:
    stage.after(1.0, CallerText("Goodbye."))
    stage.after(2.0, AUDIO)
    stage.after(3.0, GenerationComplete(), TurnComplete())
    stage.loop.call_later(5.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(5.0 + SETTLE_S, abs=LOOK)


async def test_a_farewell_that_never_comes_is_bounded(stage: Stage) -> None:
    stage.after(1.0, CallerText("Goodbye."))
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.0 + FAREWELL_LIMIT_S + SETTLE_S, abs=LOOK)


async def test_a_playout_that_never_ends_is_bounded_too(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."), GenerationComplete())
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.0 + 0.1 + 2.0 + SETTLE_S, abs=LOOK)


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


async def test_trap_8_a_transcript_moves_the_clock_only_where_the_level_showed_nothing(
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


async def test_a_caller_without_a_model_hears_that_the_line_lives(stage: Stage) -> None:
    comfort = stage.media.comfort
    stage.talk.heed(Reconnecting("1011"))
    lost_at = stage.loop.time()
    assert comfort.take(lost_at + COMFORT_AFTER_S - 0.02) is None
    assert comfort.take(lost_at + COMFORT_AFTER_S) is not None
    stage.talk.heed(Reconnected(resumed=True, ms=1500.0))
    assert comfort.take(lost_at + 5) is None


async def test_what_was_said_is_heard_but_not_waited_for_without_end(stage: Stage) -> None:
    stage.after(0.0, AUDIO)
    stage.loop.call_later(2.0, stage.line.played)
    await asyncio.sleep(0.1)
    await stage.talk.heard_out()
    assert stage.elapsed_s == pytest.approx(2.0)
    stage.talk.heed(AUDIO)
    await stage.talk.heard_out()
    assert stage.elapsed_s == pytest.approx(12.0)


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


async def stays(stage: Stage) -> None:
    """Nobody hangs up within a minute."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await stage.talk.said_goodbye()


def speaks(stage: Stage, at: float, seconds: float) -> None:
    """The caller speaks, frame by frame."""
    for frame in range(round(seconds / 0.02)):
        stage.loop.call_later(at + frame * 0.02, stage.talk.caller_frame, LOUD)


async def test_trap_9_late_sound_of_an_interrupted_turn_is_not_played(stage: Stage) -> None:
    stage.talk.heed(AUDIO)
    stage.talk.heed(Interrupted())
    stage.talk.heed(AUDIO)
    stage.talk.heed(ModelText("and so"))
    assert stage.line.queued_ms == 0.0
    assert stage.talk.late_ms == pytest.approx(100.0)
    stage.talk.heed(TurnComplete())
    stage.talk.heed(AUDIO)
    assert stage.line.queued_ms == pytest.approx(100.0)


async def test_a_turn_whose_end_is_never_told_does_not_silence_the_next(stage: Stage) -> None:
    stage.talk.heed(AUDIO)
    stage.talk.heed(Interrupted())
    await asyncio.sleep(LATE_SOUND_S)
    stage.talk.heed(AUDIO)
    assert stage.line.queued_ms == pytest.approx(100.0)


async def test_trap_9_an_interruption_of_nothing_silences_nothing(stage: Stage) -> None:
    stage.talk.heed(Interrupted())
    stage.talk.heed(AUDIO)
    assert stage.line.queued_ms == pytest.approx(100.0)
    assert (stage.talk.interruptions, stage.talk.phantom_interruptions) == (0, 1)


async def test_the_tool_takes_leave_after_what_the_model_still_says(stage: Stage) -> None:
    stage.loop.call_later(1.0, stage.talk.hang_up_asked)
    stage.after(1.1, TurnComplete())
    stage.after(2.0, AUDIO)
    stage.after(4.0, GenerationComplete(), TurnComplete())
    stage.loop.call_later(5.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(5.0 + SETTLE_S, abs=LOOK)


async def test_the_tool_waits_for_little_where_all_was_said(stage: Stage) -> None:
    stage.after(0.5, AUDIO, ModelText("All is said."))
    stage.loop.call_later(1.0, stage.talk.hang_up_asked)
    stage.loop.call_later(1.5, stage.line.played)
    stage.after(1.6, GenerationComplete(), TurnComplete())
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.0 + TOOL_PATIENCE_S + SETTLE_S, abs=LOOK)


async def test_the_tool_after_a_spoken_goodbye_waits_for_nothing_more(stage: Stage) -> None:
    stage.after(0.5, AUDIO, ModelText("Goodbye!"))
    stage.loop.call_later(1.0, stage.talk.hang_up_asked)
    stage.after(1.2, GenerationComplete(), TurnComplete())
    stage.loop.call_later(1.5, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.5 + SETTLE_S, abs=LOOK)


async def test_a_caller_who_goes_on_talking_is_not_hung_up_on(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."), GenerationComplete(), TurnComplete())
    speaks(stage, 1.2, 1.0)
    await stays(stage)


async def test_the_tool_is_called_off_by_speech_too(stage: Stage) -> None:
    stage.loop.call_later(1.0, stage.talk.hang_up_asked)
    speaks(stage, 1.2, 1.0)
    await stays(stage)


async def test_a_bye_in_answer_to_a_goodbye_calls_nothing_off(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."), GenerationComplete(), TurnComplete())
    speaks(stage, 1.2, 0.4)
    stage.loop.call_later(2.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE


async def test_a_caller_may_take_leave_again_after_all(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."), GenerationComplete(), TurnComplete())
    speaks(stage, 1.2, 1.5)
    stage.after(4.0, CallerText("Thanks, bye."))
    stage.after(4.2, AUDIO, GenerationComplete(), TurnComplete())
    stage.loop.call_later(5.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(5.0 + SETTLE_S, abs=LOOK)


async def test_noise_that_interrupts_a_farewell_ends_the_call_all_the_same(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."))
    stage.after(1.1, Interrupted(), TurnComplete())
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(1.1 + DOUBT_S + SETTLE_S, abs=LOOK)


async def test_quiet_speech_that_interrupts_a_farewell_calls_it_off(stage: Stage) -> None:
    stage.after(1.0, AUDIO, ModelText("Goodbye."))
    stage.after(1.1, Interrupted(), TurnComplete())
    stage.after(2.5, CallerText("wait, one more question"))
    await stays(stage)


async def test_a_goodbye_whose_transcript_comes_after_the_answer_waits_for_no_other(
    stage: Stage,
) -> None:
    speaks(stage, 0.5, 0.5)
    stage.after(1.5, AUDIO, GenerationComplete())
    stage.loop.call_later(2.0, stage.line.played)
    stage.after(2.5, CallerText("Goodbye."))
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(2.5 + SETTLE_S, abs=LOOK)


async def test_words_before_their_sound_wait_for_it(stage: Stage) -> None:
    stage.after(1.0, AUDIO, GenerationComplete(), TurnComplete())
    stage.loop.call_later(1.5, stage.line.played)
    stage.after(2.0, ModelText("Goodbye."))
    stage.after(2.5, AUDIO)
    stage.after(4.0, GenerationComplete(), TurnComplete())
    stage.loop.call_later(5.0, stage.line.played)
    assert await stage.talk.said_goodbye() is HangupReason.GOODBYE
    assert stage.elapsed_s == pytest.approx(5.0 + SETTLE_S, abs=LOOK)


async def test_an_alarm_is_told_and_waits_for_who_answers_it(stage: Stage) -> None:
    told: list[Event] = []
    stage.story.listen(told.append)
    stage.talk.heed(TurnComplete("RESPONSE_REJECTED"))
    stage.talk.heed(TurnComplete("RESPONSE_REJECTED"))
    assert await stage.talk.next_alarm() is Alarm.REJECTED_RESPONSES
    alarms = [dict(one.fields) for one in told if one.what is Happening.ALARM]
    assert alarms == [{"what": "rejected_responses"}]


async def test_a_caller_who_speaks_over_the_model_asks_for_no_answer(stage: Stage) -> None:
    """A "yes, yes" into a long answer is no turn that stays unanswered."""
    for at in (1.0, 4.0, 7.0):
        stage.after(at, AUDIO)
        speaks(stage, at + 0.1, 0.4)
    stage.loop.call_later(8.0, stage.line.played)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            while True:
                stage.talk.caller_frame(QUIET)
                await asyncio.sleep(0.02)
    assert not stage.talk._alarm.done()


async def test_a_tool_that_takes_its_time_is_no_empty_turn(stage: Stage) -> None:
    for at in (1.0, 5.0, 9.0):
        speaks(stage, at, 0.5)
        stage.after(at + 1, ToolCall("1", "weather", {}), TurnComplete())
    await asyncio.sleep(12)
    assert not stage.talk._alarm.done()


async def test_a_pause_is_waited_for_and_is_bounded(stage: Stage) -> None:
    await stage.talk.pause(5.0)
    assert stage.elapsed_s == 0.0
    stage.talk.heed(AUDIO)
    stage.after(1.0, GenerationComplete())
    stage.loop.call_later(2.0, stage.line.played)
    await stage.talk.pause(5.0)
    assert stage.elapsed_s == pytest.approx(2.0, abs=LOOK)
    stage.talk.heed(AUDIO)
    await stage.talk.pause(5.0)
    assert stage.elapsed_s == pytest.approx(7.0, abs=LOOK)
