"""Row 6: goodbye: the gateway hangs up, after the farewell was heard in full."""

import pytest

from simulator.audio.sound import Sound, sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import hear, say
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

FAREWELL_STAMPS = 4
GOODBYES = {"en": "Okay, goodbye.", "de": "Vielen Dank, auf Wiederhören!", "bg": "Довиждане."}


def farewell() -> Sound:
    """Give two seconds that can be counted."""
    return stamps(every_s=0.5, count=FAREWELL_STAMPS)


@pytest.mark.acceptance("6 goodbye: the gateway hangs up, after the farewell was heard in full")
async def test_goodbye_ends_the_call_after_the_farewell(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text()
    gemini.on_speech(say=farewell(), text="You are welcome. Goodbye.")
    call = await gate.dial("1000", speak=sequence(silence_for(0.5), speech(1.0)))
    await call.ended(by="gateway", within_s=15)
    assert call.heard.only_from(gemini.session(0), at_least=FAREWELL_STAMPS)
    await witness.settle()
    witness.check(after="goodbye")


@pytest.mark.parametrize("language", GOODBYES)
async def test_the_model_says_goodbye(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, language: str
) -> None:
    gemini.on_text()
    gemini.on_speech(say=farewell(), text=GOODBYES[language])
    call = await gate.dial("1000", speak=sequence(silence_for(1.0), speech(1.0)))
    await call.ended(by="gateway", within_s=15)
    assert call.heard.only_from(gemini.session(0), at_least=FAREWELL_STAMPS)
    assert call.silence_before_bye_s < 1.0
    await witness.settle()
    witness.check(after="goodbye")


@pytest.mark.parametrize("language", GOODBYES)
async def test_the_caller_says_goodbye(
    gate: SimulatedGate, gemini: FakeGemini, language: str
) -> None:
    gemini.on_text()
    gemini.on_speech(hear(GOODBYES[language]), say(farewell(), text="It was a pleasure."))
    call = await gate.dial("1000", speak=sequence(silence_for(1.0), speech(1.0)))
    await call.ended(by="gateway", within_s=15)
    assert call.heard.only_from(gemini.session(0), at_least=FAREWELL_STAMPS)
    assert call.silence_before_bye_s < 1.0


async def test_speaking_of_goodbye_is_not_saying_it(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    gemini.on_speech(say=farewell(), text="I will say goodbye later, not yet.")
    async with gate.dial("1000", speak=sequence(silence_for(1.0), speech(1.0))) as call:
        await call.lasts(12)


async def test_trap_7_a_farewell_that_never_ends_is_bounded(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    gemini.on_speech(hear("Goodbye."))  # and the model says nothing more
    call = await gate.dial("1000", speak=sequence(silence_for(1.0), speech(1.0)))
    await call.ended(by="gateway", within_s=16)
    assert call.silence_before_bye_s == pytest.approx(11.0, abs=1.5)
