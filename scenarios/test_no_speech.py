"""Row 5: 15 s without caller speech: the gateway hangs up."""

import pytest

from simulator.audio.sound import sequence, silence, silence_for, speech, tone_sound
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

TIMEOUT_S = 15.0


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


async def test_silence_from_the_answer_on_ends_the_call(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=30)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.1)


async def test_the_clock_starts_again_with_the_end_of_speech(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    gemini.on_speech()
    call = await gate.dial("1000", speak=sequence(silence_for(10.0), speech(3.0)))
    await call.ended(by="gateway", within_s=60)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.15)
    assert call.ended_at is not None
    assert call.answered_at is not None
    assert call.ended_at - call.answered_at == pytest.approx(10.0 + 3.0 + TIMEOUT_S, abs=0.3)


async def test_a_long_answer_of_the_model_is_no_silence(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say=speech(40.0))
    call = await gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=90)
    assert call.silence_before_bye_s == pytest.approx(TIMEOUT_S, abs=0.1)
    assert call.heard.duration_s >= 40.0 + TIMEOUT_S - 0.5


async def test_comfort_noise_is_no_speech(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=tone_sound(300.0, 60.0, level_dbfs=-55.0))
    await call.ended(by="gateway", within_s=20)


async def test_a_pressed_key_counts(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text()
    call = await gate.dial("1000", speak=silence)
    await call.lasts(10)
    await call.press("5")
    pressed_at = call.ended_at or call.answered_at or 0.0
    await call.lasts(TIMEOUT_S - 1)
    await call.ended(by="gateway", within_s=3)
    assert call.ended_at is not None
    assert call.ended_at - pressed_at == pytest.approx(10.0 + TIMEOUT_S, abs=0.6)
