"""What can be asked of any gateway, whoever speaks behind it: energy, pace, the ends of a call."""

import pytest

from simulator.audio.levels import dbfs
from simulator.audio.sound import sequence, silence_for, speech
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.witness.witness import Witness

CALLS = 3
TALK_S = 7.0
LOUD_DBFS = -45.0
RATE_HZ = 8000


def loudest_second_dbfs(call: SimulatedCall) -> float:
    """Give the level of the loudest second at the caller's ear."""
    pcm = call.heard.pcm(RATE_HZ)
    return max((dbfs(pcm[at : at + RATE_HZ]) for at in range(0, len(pcm), RATE_HZ)), default=-120.0)


@pytest.mark.acceptance("any voice: three calls in a row hear somebody speak")
@pytest.mark.any_voice
async def test_each_call_hears_somebody(gate: SimulatedGate, witness: Witness) -> None:
    levels = []
    for number in range(CALLS):
        async with gate.dial("1000", speak=sequence(silence_for(2.5), speech(1.5))) as call:
            await call.lasts(TALK_S)
        assert call.rtp.packets >= (TALK_S - 0.5) * 50
        levels.append(loudest_second_dbfs(call))
        assert levels[-1] > LOUD_DBFS, f"call {number + 1} was silent: {levels}"
        await witness.settle()
        witness.check(after=f"call {number + 1}")
