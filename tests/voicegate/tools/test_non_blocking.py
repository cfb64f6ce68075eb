"""A tool that the model does not wait for: it talks on, and comes to the result when it is idle."""

import json
from typing import Any

import pytest

from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import say, tool_call
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings

pytestmark = pytest.mark.virtual

TOOL = "slow"
MODELS = {
    "gemini-3.8-live": ("NON_BLOCKING", "WHEN_IDLE", "BLOCKING"),
    "gemini-3.8-live-extended-thinking": ("NON_BLOCKING", None, "NON_BLOCKING"),
    "gemini-2.5-flash-native-audio-preview-12-2025": ("NON_BLOCKING", "WHEN_IDLE", "BLOCKING"),
    "gemini-3.1-flash-live-preview": (None, None, None),
}
"""What is declared with the tool, said with its result, and declared with `hang_up`."""
TALKS_OVER_IT = sequence(silence_for(1.5), speech(1.0))


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "gemini-3.8-live"))


@pytest.fixture
def settings(model: str) -> Settings:
    tools = {"functions": [f"scenarios.own_code:{TOOL}"], "non_blocking": [TOOL]}
    return {"tools": tools, "gemini": {"model": model}, "call": {"greeting": "Speak."}}


def declared(session: FakeSession) -> dict[str, Any]:
    [tools] = session.setup["tools"]
    return {one["name"]: one.get("behavior") for one in tools["functionDeclarations"]}


def answers(session: FakeSession) -> list[dict[str, Any]]:
    entries = session.gemini.journal.of(session.number)
    texts = [one.detail for one in entries if one.kind == "toolResponse" and one.direction == "in"]
    found = [json.loads(text)["tool_response"]["functionResponses"] for text in texts]
    return [answer for row in found for answer in row]


@pytest.mark.parametrize("model", MODELS, indirect=True)
async def test_a_tool_is_declared_and_answered_as_its_model_takes_it(
    gate: SimulatedGate, gemini: FakeGemini, model: str
) -> None:
    behavior, scheduling, waited_for = MODELS[model]
    gemini.on_text(tool_call(TOOL, "id-1"))
    async with gate.dial("1000") as call:
        await call.lasts(11)
    session = gemini.session(0)
    assert declared(session)[TOOL] == behavior
    assert declared(session)["hang_up"] == waited_for
    assert [answer.get("scheduling") for answer in answers(session)] == [scheduling]


async def test_a_tool_that_is_not_waited_for_outlives_what_the_caller_says_meanwhile(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    """A blocking one would be cancelled, and its answer lost."""
    gemini.on_text(tool_call(TOOL, "id-1"))
    gemini.on_speech(say(stamps(every_s=0.5, count=2)))
    gemini.on_tool_result(say=stamps(every_s=0.5, count=2, start=2))
    async with gate.dial("1000", speak=TALKS_OVER_IT) as call:
        await call.lasts(12)
    assert [answer["id"] for answer in answers(gemini.session(0))] == ["id-1"]
    assert [stamp.sequence for stamp in call.heard.stamps()] == [0, 1, 2, 3]
