"""The model is lost in mid-call: the caller is not left alone on the line."""

import pytest

from simulator.audio.sound import speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

PATIENCE_S = 35.0
"""A gateway may try for 30 s to find the model again."""


@pytest.mark.parametrize("how", ["closed", "cut"])
async def test_a_caller_without_a_model_is_let_go(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, how: str
) -> None:
    gemini.on_text(say=speech(1.0))
    call = await gate.dial(
        "1000", speak=stamps(every_s=1.0)
    )  # so that it is not silence that ends it
    await call.lasts(2)
    gemini.refuse(503)
    if how == "closed":
        gemini.session(0).close(1011, "Internal error encountered.")
    else:
        gemini.session(0).abort()
    await call.ended(by="gateway", within_s=PATIENCE_S)
    await witness.settle()
    witness.check(after="a call whose model was lost")
