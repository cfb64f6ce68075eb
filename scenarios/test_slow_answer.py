"""A slow model: the caller's 15 s begin with the answer, not with the ringing."""

import pytest

from simulator.audio.sound import silence
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini

SETUP_S = 5.0


@pytest.mark.parametrize("settings", [{"call": {"greeting": ""}}], ids=["mute"])
async def test_ringing_is_no_silence(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.stall_setup(SETUP_S, times=1)
    gemini.on_text()
    call = await gate.dial("1000", speak=silence)
    assert call.setup_s == pytest.approx(SETUP_S, abs=0.5)
    await call.ended(by="gateway", within_s=30)
    waited_s = call.silence_before_bye_s
    assert waited_s == pytest.approx(15.0, abs=0.1), f"BYE {waited_s:.1f} s after the answer"
