"""Row 3: the second call: greeting heard, caller heard by the model, model heard by the caller."""

import pytest

from simulator.audio.sound import sequence, silence_for, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

GREETING_STAMPS = 2
ANSWER_STAMPS = 3


@pytest.mark.acceptance("3 second call: greeting heard, and both sides hear each other")
async def test_the_second_call_is_not_silent(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=GREETING_STAMPS), text="Good day.")
    gemini.on_speech(
        say=stamps(every_s=0.5, count=ANSWER_STAMPS, start=GREETING_STAMPS), text="Gladly."
    )
    greeted_after: list[float] = []
    for number in range(2):
        caller = sequence(silence_for(1.5), stamps(every_s=0.5, count=2))
        async with gate.dial("1000", speak=caller) as call:
            await call.lasts(6)
        model = await gemini.connected(number)
        assert call.heard.only_from(model, at_least=GREETING_STAMPS + ANSWER_STAMPS)
        assert model.heard.only_from(call, at_least=2)
        greeted_after.append(call.heard.stamps()[0].at_s - (call.answered_at or 0.0))
        await witness.settle()
        witness.check(after=f"call {number + 1}")
    assert greeted_after[1] <= greeted_after[0] + 0.3
