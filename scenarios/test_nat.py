"""A NAT between the gate and us: its port changes in mid-call, and both are heard as before."""

import pytest

from scenarios.trouble import STAMPS
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini


@pytest.mark.parametrize("announced", [True, False])
async def test_a_caller_who_goes_on_from_another_port_is_heard_and_hears(
    gate: SimulatedGate, gemini: FakeGemini, announced: bool
) -> None:
    gemini.always(say=STAMPS)
    async with gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(2.5)
        assert await call.move_rtp(announce=announced) == (200 if announced else 0)
        moved_to = call.media.port
        await call.lasts(3)
        assert call.media.came_to[moved_to] >= 140
    model = gemini.session(0)
    assert call.heard.only_from(model, at_least=8)
    assert model.heard.only_from(call, at_least=8)
