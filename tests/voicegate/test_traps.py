"""What other gateways got wrong (docs/traps.md), where it takes a whole gateway to show it."""

import asyncio

import pytest

from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import say, tool_call
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.endings import HangupReason
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

CALLS = 20
ENDS = ["bye sent", "media released", "model closed"]
FORGOTTEN_S = 65.0
"""A dialog that is over is known for 32 s, and the transaction of its BYE no longer."""


class Byes:
    """When BYEs came to the gate."""

    def __init__(self) -> None:
        self.at_s: list[float] = []

    def record(
        self, at_s: float, _source: tuple[str, int], _to: tuple[str, int], payload: bytes
    ) -> None:
        """See every datagram of the gate."""
        if payload.startswith(b"BYE "):
            self.at_s.append(at_s)


async def test_trap_7_one_bye_behind_the_whole_farewell_and_sound_until_then(
    gateway: Gateway, gemini: FakeGemini, caplog: pytest.LogCaptureFixture
) -> None:
    """Goodbye by the model's words, by its tool and by the caller's silence: one hang-up."""
    caplog.set_level("INFO", logger="voicegate")
    byes = Byes()
    gemini.on_text()
    farewell = stamps(every_s=0.5, count=4)
    gemini.on_speech(say(farewell, text="Goodbye."), tool_call("hang_up", "id-1"))
    gemini.on_tool_result()
    async with SimulatedGate(gateway=gateway.agent.local, tape=byes) as gate:
        call = await gate.dial("1000", speak=sequence(silence_for(0.5), speech(1.0)))
        await call.ended(by="gateway", within_s=15)
        await asyncio.sleep(2)
        gate.check()
    assert call.heard.only_from(gemini.session(0), at_least=4)
    (bye_at,) = byes.at_s
    assert call.rtp.last_at == pytest.approx(bye_at, abs=0.02)
    said = [str(one.msg["event"]) for one in caplog.records if isinstance(one.msg, dict)]
    assert [line for line in said if line in ENDS] == ENDS


async def test_trap_12_silence_goes_to_the_model_through_the_gaps_of_a_caller_that_saves_packets(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    """Its detection of turns answers only while sound arrives."""
    gemini.on_text()
    async with gate.dial("1000", speak=speech(0.5), dtx=True) as call:
        await call.lasts(5)
    assert call.media.packets_sent < 50
    assert gemini.session(0).heard.duration_s == pytest.approx(5.0, abs=0.1)


async def test_twenty_hang_ups_of_ours_leave_zero_entries(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text()
    for _ in range(CALLS):
        call = await gate.dial("1000")
        gateway.calls[gateway.calls_taken].end(HangupReason.OPERATOR)
        await call.ended(by="gateway", within_s=3)
    assert gate.open_calls == 0
    await asyncio.sleep(FORGOTTEN_S)
    assert gateway.calls == {}
    assert (gateway.agent.dialogs, gateway.agent.transactions) == (0, 0)
    assert (gateway.ports.lent, gateway.voice.open_conversations) == (0, 0)
    await witness.settle()
    witness.check(after="twenty hang-ups")
