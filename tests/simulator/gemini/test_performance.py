"""Turns and tool calls within one row of actions."""

from simulator.audio.sound import speech
from simulator.gemini import FakeGemini
from simulator.gemini.script import (
    say,
    tool_call,
)
from tests.simulator.gemini.bench import Bench, frame, play, read, setup


def test_the_thinking_model_says_whether_it_goes_on() -> None:
    fake = FakeGemini()
    fake.on_connect(tool_call("f", "id-1"), say(speech(1.0)))
    fake.on_tool_result(say=speech(1.0))
    level = {"thinkingConfig": {"thinkingLevel": "LOW"}}

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup("gemini-3.8-live-extended-thinking", generationConfig=level))
            states: list[str] = []
            while len(states) < 2:
                content = (await read(ws)).get("serverContent", {})
                if "turnComplete" in content:
                    states.append(content["interactionStatus"])
                    answer = {"id": "id-1", "name": "f", "response": {}}
                    if len(states) == 1:
                        await ws.send(frame(toolResponse={"functionResponses": [answer]}))
            assert states == ["IN_PROGRESS", "IDLE"]

    play(scenario, fake).check()
