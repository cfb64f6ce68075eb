"""From the answer to the end: how it begins, and that nothing holds up the BYE."""

import asyncio

import pytest

from scenarios.own_code import stubborn
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import tool_call
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness
from voicegate.endings import HangupReason
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

QUESTION = sequence(silence_for(0.5), speech(1.0))


@pytest.fixture
def settings() -> Settings:
    function = f"{stubborn.__module__}:{stubborn.__name__}"
    return {"tools": {"functions": [function]}, "call": {"greeting": ""}}


async def test_a_tool_that_will_not_end_does_not_hold_up_the_bye(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_speech(tool_call("stubborn", "id-1"))
    call = await gate.dial("1000", speak=QUESTION)
    await call.lasts(3)
    [running] = gateway.calls.values()
    told_at = asyncio.get_running_loop().time()
    running.end(HangupReason.SHUTDOWN)
    del running
    await call.ended(by="gateway", within_s=1)
    assert call.ended_at is not None
    assert call.ended_at - told_at < 0.1
    assert gateway.calls, "the tool is still letting go"
    await witness.settle(wait_s=3)
    witness.check(after="a call with a stubborn tool")
    assert not gateway.calls


async def test_without_a_greeting_the_model_waits_for_the_caller(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini
) -> None:
    gemini.on_speech(say=stamps(every_s=0.5, count=2))
    async with gate.dial("1000", speak=QUESTION) as call:
        await call.lasts(4)
    session = gemini.session(0)
    assert not [one for one in gemini.journal.of(0) if one.kind == "realtimeInput.text"]
    assert call.heard.only_from(session, at_least=2)
