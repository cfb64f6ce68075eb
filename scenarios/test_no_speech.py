"""Row 5: 15 s without caller speech: the gateway hangs up."""

import pytest

from simulator.audio.sound import sequence, silence, silence_for, speech, stamps, tone_sound
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import hear, pause
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness

TIMEOUT_S = 15.0
NOBODY_GREETS = pytest.mark.parametrize("settings", [{"call": {"greeting": ""}}], ids=["mute"])
"""The model is not told to greet; one that is told to and does not is another story."""


@pytest.mark.acceptance("5 15 s without caller speech: the gateway hangs up")
async def test_silence_after_the_greeting_ends_the_call(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(say=speech("Hello? Who is there?"))
    call = await gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=30)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.1)
    await witness.settle()
    witness.check(after="a silent call")


@NOBODY_GREETS
async def test_silence_from_the_answer_on_ends_the_call(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=30)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.1)


@NOBODY_GREETS
async def test_trap_8_the_clock_starts_again_with_the_end_of_speech(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    gemini.on_speech()
    call = await gate.dial("1000", speak=sequence(silence_for(5.0), speech(2.0)))
    await call.ended(by="gateway", within_s=60)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.15)
    assert call.ended_at is not None
    assert call.answered_at is not None
    assert call.ended_at - call.answered_at == pytest.approx(5.0 + 2.0 + TIMEOUT_S, abs=0.3)


async def test_a_long_answer_of_the_model_is_no_silence(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say=speech(20.0))
    call = await gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=60)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.1)
    assert call.heard.duration_s >= 20.0 + TIMEOUT_S - 0.5


@NOBODY_GREETS
async def test_trap_8_comfort_noise_is_no_speech(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=tone_sound(300.0, 60.0, level_dbfs=-55.0))
    await call.ended(by="gateway", within_s=20)


@NOBODY_GREETS
async def test_trap_8_a_pressed_key_counts(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=silence)
    await call.lasts(10)
    await call.press("5")
    pressed_at = call.ended_at or call.answered_at or 0.0
    await call.lasts(TIMEOUT_S - 1)
    await call.ended(by="gateway", within_s=3)
    assert call.ended_at is not None
    assert call.ended_at - pressed_at == pytest.approx(10.0 + TIMEOUT_S, abs=0.6)


@NOBODY_GREETS
async def test_trap_8_quiet_speech_is_speech(gate: SimulatedGate, gemini: FakeGemini) -> None:
    """Too quiet for a level to tell it from noise; the service hears it, and writes it down."""
    gemini.on_connect(pause(4.0), hear("hello, is anybody there"))
    call = await gate.dial("1000", speak=speech(5.0, level_dbfs=-52.0))
    await call.ended(by="gateway", within_s=30)
    assert call.ended_at is not None
    assert call.answered_at is not None
    assert call.ended_at - call.answered_at == pytest.approx(4.0 + TIMEOUT_S, abs=0.3)


class TestWithAQuestion:
    """The model asks a silent caller once."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"check_in_s": 6.0}}

    async def test_the_model_asks_once_and_the_clock_runs_on(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        gemini.on_text(say=speech(1.0))
        gemini.on_text(say=stamps(every_s=0.5, count=3))
        call = await gate.dial("1000", speak=silence)
        await call.ended(by="gateway", within_s=30)
        asked = [text for text in gemini.session(0).inputs.texts if "still there" in text]
        assert len(asked) == 1
        assert call.heard.only_from(gemini.session(0), at_least=3)
        first = call.heard.stamps()[0].at_s
        assert call.ended_at is not None
        assert call.ended_at - first == pytest.approx(TIMEOUT_S - 6.0, abs=0.5)


class TestWithALimit:
    """A call that may last 20 s, of which the model is told before."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"max_duration_s": 20.0, "max_duration_warning_s": 8.0}}

    async def test_the_model_is_warned_and_says_goodbye_in_time(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        gemini.on_text(say=speech(1.0))
        gemini.on_text(say=stamps(every_s=0.5, count=3), text="Our time is up. Goodbye.")
        call = await gate.dial("1000", speak=sequence(silence_for(8.0), speech(2.0)))
        await call.ended(by="gateway", within_s=19)
        assert "8 seconds" in gemini.session(0).inputs.texts[-1]
        assert call.heard.only_from(gemini.session(0), at_least=3)
