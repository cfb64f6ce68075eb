"""Row 1: the first call: two-way audio, from the answer on."""

import pytest

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

FIRST_PACKET_S = 0.25


@pytest.mark.acceptance("1 first call: two-way audio")
async def test_the_first_call_is_heard_both_ways(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.always(say=stamps(every_s=1.0))
    async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
        await call.lasts(5)
    model = await gemini.connected(0)
    assert call.heard.only_from(model, at_least=4)
    assert model.heard.only_from(call, at_least=4)
    assert call.heard.speech()
    await witness.settle()
    witness.check(after="the first call")


async def test_trap_6_sound_flows_from_the_answer_on(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()  # the model says nothing: silence must flow all the same
    async with gate.dial("1000") as call:
        await call.lasts(3)
    assert call.rtp.first_at is not None
    assert call.answered_at is not None
    assert call.rtp.first_at - call.answered_at <= FIRST_PACKET_S
    assert call.rtp.packets >= 3 * 50 - 2 - FIRST_PACKET_S * 50
