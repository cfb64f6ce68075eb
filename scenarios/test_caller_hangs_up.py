"""Row 2: the caller hangs up: everything is released, at whatever moment it is."""

import pytest

from simulator.audio.sound import speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness


@pytest.mark.acceptance("2 caller hangs up: everything released")
@pytest.mark.needs_resources
async def test_a_caller_in_mid_sentence_leaves_nothing(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(say=speech(6.0))  # short: making it takes the time of this loop
    async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
        await call.lasts(1.5)
    assert call.ended_by == "caller"
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=3)
    await witness.settle()
    witness.check(after="a call that the caller ended")


@pytest.mark.parametrize("after_s", [0.0, 0.03, 1.0, 20.0])
async def test_everything_is_released(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, after_s: float
) -> None:
    gemini.on_text(say=speech(6.0))  # short: making it takes the time of this loop
    async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
        await call.lasts(after_s)
    assert call.ended_by == "caller"
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=2)
    await witness.settle()
    witness.check(after=f"a call of {after_s} s")


async def test_rtp_stops_within_one_tick(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text(say=speech(6.0))  # short: making it takes the time of this loop
    async with gate.dial("1000") as call:
        await call.lasts(3)
    assert call.rtp.last_at is not None
    assert call.ended_at is not None
    assert call.rtp.last_at - call.ended_at <= 0.02


async def test_while_it_rings(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> None:
    gemini.stall_setup(5, times=1)
    call = await gate.dial("1000", until="ringing")
    assert await call.cancel() == 487
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=2)
    await witness.settle()
    witness.check(after="a cancelled call")


async def test_trap_14_a_caller_that_vanishes_is_noticed_by_its_silence(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(say=speech(1.0))
    call = await gate.dial("1000")
    await call.lasts(3)
    call.vanish(close_port=True)
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=20)
    await witness.settle(wait_s=35)
    witness.check(after="a vanished caller")
