"""Row 8: no pending task, no unretrieved exception, no 10054 trouble, whatever the calls do."""

import asyncio

import pytest

from simulator.audio.sound import speech
from simulator.gate.caller import CallRefused
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Target
from simulator.witness.witness import Witness


@pytest.mark.acceptance("8 never in a log: pending tasks, unretrieved exceptions, 10054")
async def test_rough_calls_leave_no_bad_word(
    gate: SimulatedGate, gemini: FakeGemini, gateway: Target, witness: Witness, errors: Witness
) -> None:
    gemini.on_text(say=speech(3.0))
    call = await gate.dial("1000")
    await call.lasts(0.5)
    gemini.session(0).abort()
    await asyncio.sleep(1.0)  # a gateway may find the model again, or let the caller go
    if not call.is_over:
        await call.hang_up()
    gemini.refuse(503)
    with pytest.raises(CallRefused):
        await gate.dial("1000")
    gemini.entrance.obstacles.clear()
    cancelled = await gate.dial("1000", until="sent")
    await cancelled.cancel()
    async with gate.dial("1000") as call:
        call.close_rtp_port()
        await call.lasts(0.5)
    await witness.settle()
    witness.check(after="rough calls")
    assert not errors.errors
    assert not gateway.sins()
