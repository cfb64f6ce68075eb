"""What is done about an alarm, step by step."""

import asyncio

import pytest

from tests.voicegate.stage import FakeVoice, Stage
from voicegate.endings import HangupReason
from voicegate.farewell import SETTLE_S
from voicegate.media.level import level_dbfs
from voicegate.rescue import (
    APOLOGY_HZ,
    APOLOGY_RATE_HZ,
    ASK_AGAIN,
    TONE_S,
    Ladder,
    Step,
    apologise,
    rescue,
    three_tones,
)
from voicegate.voice.session import ModelAudio, Reconnected, TurnComplete
from voicegate.watchdogs import GREETING_LIMIT_S, Alarm

pytestmark = pytest.mark.virtual

APOLOGY_S = TONE_S * len(APOLOGY_HZ) + SETTLE_S


class RenewingVoice(FakeVoice):
    """A voice that has another connection half a second after it was given up."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def renew(self, why: str) -> None:
        super().renew(why)
        self._stage.after(0.5, Reconnected(resumed=False, ms=500.0))


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def listen(stage: Stage) -> None:
    """Frames of a silent caller, which are the watchdogs' clock."""
    while True:
        stage.talk.caller_frame(bytes(320))
        await asyncio.sleep(0.02)


async def rescued(stage: Stage, voice: FakeVoice, apology: bytes = b"") -> HangupReason:
    async with asyncio.TaskGroup() as group:
        frames = group.create_task(listen(stage))
        try:
            return await rescue(voice, stage.media, stage.talk, apology)
        finally:
            frames.cancel()


def test_a_greeting_is_asked_for_again_before_all_else() -> None:
    ladder = Ladder()
    steps = [ladder.step(Alarm.NO_GREETING, 0) for _ in range(3)]
    assert steps == [Step.ASK, Step.RENEW, Step.GIVE_UP]


@pytest.mark.parametrize("alarm", [one for one in Alarm if one is not Alarm.NO_GREETING])
def test_all_else_is_a_matter_for_a_fresh_session(alarm: Alarm) -> None:
    ladder = Ladder()
    assert [ladder.step(alarm, 5), ladder.step(alarm, 5)] == [Step.RENEW, Step.GIVE_UP]


def test_a_turn_that_is_well_makes_good_what_was_before() -> None:
    ladder = Ladder()
    steps = [ladder.step(Alarm.EMPTY_TURNS, turns_heard) for turns_heard in range(1, 5)]
    assert steps == [Step.RENEW] * 4


async def test_a_model_that_never_greets_is_asked_renewed_and_apologised_for(stage: Stage) -> None:
    voice = RenewingVoice(stage)
    stage.talk.told_to_speak("Greet.")
    assert await rescued(stage, voice) is HangupReason.VOICE_SILENT
    assert [words for _, words in voice.told] == ["Greet."]
    assert voice.renewed == ["no_greeting"]
    expected_s = 3 * GREETING_LIMIT_S + 0.5 + APOLOGY_S
    assert stage.elapsed_s == pytest.approx(expected_s, abs=0.1)
    assert stage.line.queued_ms == pytest.approx(TONE_S * len(APOLOGY_HZ) * 1000, abs=1)


async def test_an_apology_of_your_own_is_played_to_its_end(stage: Stage) -> None:
    stage.talk.told_to_speak("Greet.")
    await rescued(stage, RenewingVoice(stage), apology=bytes(16000 * 3))
    assert stage.elapsed_s == pytest.approx(3 * GREETING_LIMIT_S + 0.5 + 3.0 + SETTLE_S, abs=0.1)


async def test_a_fresh_session_that_is_well_is_left_alone(stage: Stage) -> None:
    voice = RenewingVoice(stage)
    for at in (1.0, 3.0):
        stage.after(at, TurnComplete("RESPONSE_REJECTED"))
    stage.after(5.0, ModelAudio(three_tones(), APOLOGY_RATE_HZ))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await rescued(stage, voice)
    assert voice.renewed == ["rejected_responses"]
    assert voice.told == []


async def test_a_fresh_session_that_says_nothing_is_told_what_to_do(stage: Stage) -> None:
    voice = RenewingVoice(stage)
    for at in (1.0, 3.0):
        stage.after(at, TurnComplete("RESPONSE_REJECTED"))
    assert await rescued(stage, voice) is HangupReason.VOICE_SILENT
    assert [words for _, words in voice.told] == [ASK_AGAIN]


async def test_who_was_given_up_is_not_heard_any_more(stage: Stage) -> None:
    stage.after(SETTLE_S / 2, ModelAudio(three_tones(), APOLOGY_RATE_HZ))
    await apologise(stage.media, stage.talk, three_tones())
    assert stage.line.queued_ms == pytest.approx(TONE_S * len(APOLOGY_HZ) * 1000, abs=1)


async def test_what_a_session_that_is_given_up_still_had_to_say_is_void(stage: Stage) -> None:
    """A tone may be queued by the minute: the fresh session must not wait behind it."""
    voice = RenewingVoice(stage)
    for at in (1.0, 3.0):
        stage.after(at, TurnComplete("RESPONSE_REJECTED"))
    stage.line.say(bytes(60 * 2 * APOLOGY_RATE_HZ), APOLOGY_RATE_HZ)
    stage.after(5.0, ModelAudio(three_tones(), APOLOGY_RATE_HZ))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(6.0):
            await rescued(stage, voice)
    assert voice.renewed == ["rejected_responses"]
    assert stage.line.queued_ms == pytest.approx(TONE_S * len(APOLOGY_HZ) * 1000, abs=1)


def test_the_apology_can_be_heard() -> None:
    assert -35 < level_dbfs(three_tones()) < -15
