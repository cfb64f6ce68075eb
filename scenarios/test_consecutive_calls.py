"""Row 4: the third, the fourth and those after: both sides hear each other as in the first."""

import pytest

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

CALLS = 4


@pytest.mark.acceptance("4 third, fourth ... call: the same")
async def test_consecutive_calls_are_heard_both_ways(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.always(say=stamps(every_s=1.0))
    for number in range(CALLS):
        async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
            await call.lasts(4)
        model = await gemini.connected(number)
        assert call.heard.only_from(model, at_least=3)
        assert model.heard.only_from(call, at_least=3)
        assert call.heard.speech()
        await witness.settle()
        witness.check(after=f"call {number + 1}")


async def test_the_second_call_is_greeted(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=4), text="Good day, how can I help you?")
    heard: list[float] = []
    for number in range(2):
        async with gate.dial("1000") as call:
            await call.lasts(4)
        assert call.heard.only_from(gemini.session(number), at_least=4)
        heard.append(call.heard.stamps()[0].at_s - (call.answered_at or 0.0))
        await witness.settle()
        witness.check(after=f"call {number + 1}")
    assert heard[1] == pytest.approx(heard[0], abs=0.05)
