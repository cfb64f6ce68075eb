"""The models' rules, and whether the service's own table agrees with them."""

import pytest

from simulator.audio.sound import speech
from simulator.gemini.rules import MODELS as SERVED
from simulator.gemini.server import FakeGemini
from tests.voicegate.voice.ear import heard, serving
from voicegate.voice.models import MODELS, UNKNOWN, rules_of
from voicegate.voice.session import Tool, TurnComplete, VoiceSetup

pytestmark = pytest.mark.virtual

HANG_UP = Tool("hang_up", "Ends the call.", {})


@pytest.mark.parametrize("model", SERVED)
def test_each_model_that_is_served_has_its_rules(model: str) -> None:
    rules = rules_of(model)
    served = SERVED[model]
    assert rules in MODELS
    assert rules_of(f"projects/p/locations/l/publishers/google/models/{model}") is rules
    assert rules.thinking_level == (served.thinking_level == "required")
    assert rules.tool_scheduling or not rules.tool_behavior or not served.scheduling
    assert rules.unannounced_life_s == (None if served.warning_s else served.lifetime_s)


def test_a_model_that_nobody_knows_is_taken_for_a_plain_one() -> None:
    assert rules_of("gemini-9-live") is UNKNOWN
    assert not UNKNOWN.thinking_level


@pytest.mark.parametrize("model", SERVED)
async def test_each_model_is_set_up_as_it_wants_it(fake: FakeGemini, model: str) -> None:
    """Judged by the fake's table of what each model takes and refuses."""
    fake.on_text(say=speech(0.5))
    async with (
        serving(model=model) as gemini,
        heard(gemini, VoiceSetup(tools=(HANG_UP,), language="bg-BG")) as ear,
    ):
        await ear.voice.greet("Greet.")
        await ear.until(lambda: ear.of(TurnComplete))
        fake.session(0).abort()
        await ear.reconnected()
        await ear.voice.send_text("Go on.")
        await ear.until(lambda: len(ear.of(TurnComplete)) == 2)
    level = fake.session(0).setup["generationConfig"].get("thinkingConfig", {})
    assert bool(level) == (model == "gemini-3.8-live-extended-thinking")
    fake.check()
