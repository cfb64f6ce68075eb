"""Keys: whatever way a gate sends them, the model is told of each once."""

import pytest

from simulator.audio.sound import sequence, silence_for, speech
from simulator.gate.gate import SimulatedGate
from simulator.gate.party import Keys
from simulator.gemini.script import tool_call
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings, Target

PROFILES = ("chan_sip", "pjsip", "freeswitch", "kamailio", "goip")
WAYS: tuple[Keys, ...] = ("event", "info-relay", "info-dtmf", "inband")


def keys_told(gemini: FakeGemini, number: int) -> str:
    """What the model of conversation `number` was told of keys."""
    texts = gemini.session(number).inputs.texts
    told = [text.rpartition(": ")[2] for text in texts if "keypad" in text]
    return "".join("".join(told).split())


@pytest.mark.direct
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_dtmf_of_every_make_and_way_reaches_the_model(
    gateway: Target, gemini: FakeGemini, profile: str
) -> None:
    """Keys pressed as events, as INFO of both kinds, and as tones of a telephone without events."""
    async with SimulatedGate(gateway=gateway.address, profile=profile) as gate:
        for number, way in enumerate(WAYS if profile == "chan_sip" else WAYS[:-1]):
            event = None if way == "inband" else 101
            async with gate.dial("1000", telephone_event=event) as call:
                await call.lasts(0.3)
                await call.press("159#", by=way)
                await call.press("20*D", by=way)
                await call.lasts(1)
            assert keys_told(gemini, number) == "159#20*D", way
        gate.check()


class TestTheModelPresses:
    """With the tool `send_dtmf`."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"tools": {"built_in": ["hang_up", "send_dtmf"]}}

    async def test_dtmf_that_the_model_sends_is_heard_at_the_gate(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        gemini.on_text()
        gemini.on_speech(tool_call("send_dtmf", "id-1", digits="42#"))
        async with gate.dial("1000", speak=sequence(silence_for(0.5), speech(1.0))) as call:
            await call.lasts(5)
        assert call.media.receiver.stats.digits == "42#"
