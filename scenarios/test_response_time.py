"""How long the caller waits for an answer, and how much of it is the gateway's doing."""

import numpy as np
import pytest

from simulator.audio.sound import sequence, silence_for, stamps
from simulator.audio.stamps import STAMP_S
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings

TURNS = 20
SERVICE_S = 0.5 + 0.2
"""The service's own share: the silence that ends a turn (gemini.silence_duration_ms), and the time
in which the fake thinks."""
GRAIN_S = 0.02
"""The fake listens in frames of this; a turn that ends within one ends with it."""
AT_MOST_S = 0.060


@pytest.fixture
def settings() -> Settings:
    return {"call": {"greeting": "", "no_speech_timeout_s": 60.0}}


@pytest.mark.thorough
async def test_response_time_that_the_gateway_adds(gate: SimulatedGate, gemini: FakeGemini) -> None:
    """From the end of the caller's stamp to the model's at the caller's ear, turn by turn."""
    for number in range(TURNS):
        gemini.on_speech(say=stamps(every_s=0.5, count=1, start=number))
    # the pauses differ, so that speech ends anywhere between two ticks and two messages
    turns = [
        sequence(silence_for(1.4 + 0.007 * number), stamps(every_s=0.5, count=1, start=number))
        for number in range(TURNS)
    ]
    caller = sequence(*turns)
    async with gate.dial("1000", speak=caller) as call:
        await call.lasts(caller.duration_s + 2.0)
    session = gemini.session(0)
    asked = {stamp.sequence: stamp.at_s + STAMP_S for stamp in call.spoken.stamps()}
    answered = {stamp.sequence: stamp.at_s for stamp in call.heard.stamps()}
    began_s = session.heard.start_s or 0.0
    grain = {s.sequence: (began_s - s.at_s - STAMP_S) % GRAIN_S for s in session.heard.stamps()}
    added = [answered[n] - asked[n] - SERVICE_S - grain[n] for n in range(TURNS)]
    assert np.percentile(added, 95) <= AT_MOST_S, [round(one * 1000) for one in added]
    assert min(added) > 0.0, "sooner than the service can have answered"
