"""The model calls tools: each call is answered once, and the sound never waits for one."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from simulator.audio.sound import Sound, sequence, silence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import say, tool_call
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness

OWN = "scenarios.own_code"
FUNCTIONS = [f"{OWN}:{one}" for one in ("order_status", "opening_hours", "slow", "broken")]
ENDLESS = f"{OWN}:endless"
REPLY_STAMPS = 4
QUESTION = sequence(silence_for(0.5), speech(1.0))


def reply() -> Sound:
    """Give two seconds that can be counted."""
    return stamps(every_s=0.5, count=REPLY_STAMPS)


def answers(session: FakeSession) -> list[dict[str, Any]]:
    """Give what the gateway answered to tool calls, in order."""
    entries = session.gemini.journal.of(session.number)
    texts = [one.detail for one in entries if one.kind == "toolResponse" and one.direction == "in"]
    found = [json.loads(text)["tool_response"]["functionResponses"] for text in texts]
    return [answer for row in found for answer in row]


@pytest.fixture
def settings() -> Settings:
    return {"tools": {"functions": [*FUNCTIONS, ENDLESS], "timeout_s": 10.0}}


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("order_status", {"number": "17"}, {"order": "17", "state": "sent", "asked_by": "100"}),
        ("opening_hours", {}, {"result": "nine to five"}),
    ],
)
async def test_a_tool_of_ones_own_is_run_and_the_model_speaks_about_its_result(
    gate: SimulatedGate,
    gemini: FakeGemini,
    witness: Witness,
    name: str,
    arguments: dict[str, str],
    result: dict[str, str],
) -> None:
    gemini.on_text()
    gemini.on_speech(tool_call(name, "id-1", **arguments))
    gemini.on_tool_result(say=reply())
    async with gate.dial("1000", speak=QUESTION) as call:
        await call.lasts(6)
    assert call.heard.only_from(gemini.session(0), at_least=REPLY_STAMPS)
    [answer] = answers(gemini.session(0))
    assert (answer["id"], answer["name"], answer["response"]) == ("id-1", name, result)
    await witness.settle()
    witness.check(after="a call with a tool")


@pytest.mark.parametrize(
    ("name", "arguments", "error", "call_s"),
    [
        ("broken", {}, "the tool failed", 4),
        ("endless", {}, "no result within 10 s", 12),
        ("no_such_tool", {}, "there is no tool of this name", 4),
        ("order_status", {}, "number: Field required", 4),
    ],
)
@pytest.mark.thorough(but=1)
async def test_a_tool_that_fails_is_told_and_the_sound_goes_on_all_the_while(
    gate: SimulatedGate,
    gemini: FakeGemini,
    name: str,
    arguments: dict[str, str],
    error: str,
    call_s: int,
) -> None:
    gemini.on_text(tool_call(name, "id-1", **arguments))
    gemini.always(say=stamps(every_s=0.5))
    async with gate.dial("1000", speak=silence) as call:
        await call.lasts(call_s)
    session = gemini.session(0)
    assert [answer["response"] for answer in answers(session)] == [{"error": error}]
    assert call.heard.only_from(session, at_least=2 * call_s - 2)
    assert session.heard.duration_s == pytest.approx(call_s, abs=0.2)


async def test_a_tool_call_with_an_id_that_came_before_is_not_run_again(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(tool_call("slow", "id-1"), tool_call("slow", "id-1"))
    gemini.on_tool_result(say=reply())
    async with gate.dial("1000", speak=silence) as call:
        await call.lasts(14)
    assert [answer["id"] for answer in answers(gemini.session(0))] == ["id-1"]


async def test_two_tools_at_once_are_answered_each_under_its_id(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(tool_call("slow", "late"), tool_call("opening_hours", "soon"))
    async with gate.dial("1000", speak=silence) as call:
        await call.lasts(12)
    assert [answer["id"] for answer in answers(gemini.session(0))] == ["soon", "late"]


async def test_a_tool_is_cancelled_by_a_barge_in_and_the_next_reply_is_heard(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(tool_call("endless", "id-1"))
    gemini.on_speech(say=reply())
    async with gate.dial("1000", speak=sequence(silence_for(3.0), speech(1.0))) as call:
        await call.lasts(8)
    assert gemini.session(0).sent["toolCallCancellation"] == 1
    assert answers(gemini.session(0)) == []
    assert call.heard.only_from(gemini.session(0), at_least=REPLY_STAMPS)
    await witness.settle()
    witness.check(after="a cancelled tool")


async def test_a_tool_that_still_runs_ends_with_its_call(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(tool_call("endless"))
    async with gate.dial("1000", speak=silence) as call:
        await call.lasts(2)
    await witness.settle()
    witness.check(after="a call that left its tool behind")


async def test_a_tool_whose_connection_is_lost_is_answered_once_on_the_next(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.on_text(tool_call("endless", "id-1"))
    gemini.on_speech(say=reply())
    async with gate.dial("1000", speak=sequence(silence_for(6.0), speech(1.0))) as call:
        await call.lasts(2)
        gemini.session(0).abort()
        await call.lasts(9)
    lost, resumed = gemini.session(0), gemini.session(1)
    assert answers(lost) == []
    assert [(one["id"], "error" in one["response"]) for one in answers(resumed)] == [("id-1", True)]
    assert call.heard.only_from(resumed, at_least=REPLY_STAMPS)
    await witness.settle()
    witness.check(after="a tool and its connection")


class TestSilence:
    """The clock of silence stands while the model waits for a tool."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"tools": {"functions": [f"{OWN}:slow"]}, "call": {"no_speech_timeout_s": 5.0}}

    async def test_a_tool_that_takes_longer_than_the_limit_does_not_end_the_call(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        gemini.on_text(tool_call("slow", "id-1"))
        began_at = asyncio.get_running_loop().time()
        call = await gate.dial("1000", speak=silence)
        await call.ended(by="gateway", within_s=30)
        assert [answer["id"] for answer in answers(gemini.session(0))] == ["id-1"]
        assert call.ended_at is not None
        assert call.ended_at - began_at == pytest.approx(9 + 5, abs=1.5)


class TestHangUp:
    """The gateway's own tool: the model ends the call."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"goodbye": "off"}}

    @pytest.mark.parametrize("first", ["farewell", "tool"])
    async def test_the_hang_up_tool_ends_the_call_after_the_farewell(
        self, gate: SimulatedGate, gemini: FakeGemini, witness: Witness, first: str
    ) -> None:
        gemini.on_text()
        if first == "farewell":
            gemini.on_speech(say(reply(), "So long."), tool_call("hang_up", "id-1"))
            gemini.on_tool_result()
        else:
            gemini.on_speech(tool_call("hang_up", "id-1"))
            gemini.on_tool_result(say=reply(), text="So long.")
        call = await gate.dial("1000", speak=QUESTION)
        await call.ended(by="gateway", within_s=12)
        assert call.heard.only_from(gemini.session(0), at_least=REPLY_STAMPS)
        assert [answer["id"] for answer in answers(gemini.session(0))] == ["id-1"]
        await witness.settle()
        witness.check(after="a hang-up by tool")


class Shop:
    """A service of the user's, told by a webhook."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status = 200
        self.delay_s = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        await asyncio.sleep(self.delay_s)
        return web.json_response({"open": True}, status=self.status)


class TestWebhook:
    """A tool that is an HTTP request."""

    @pytest.fixture
    def port(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free: int = probe.getsockname()[1]
        return free

    @pytest.fixture
    def settings(self, port: int) -> Settings:
        hook = {
            "name": "shop",
            "description": "Asks the shop.",
            "url": f"http://127.0.0.1:{port}/",
            "parameters": {"type": "object", "properties": {"day": {"type": "string"}}},
            "timeout_s": 3.0,
        }
        return {"tools": {"webhook": [hook]}}

    @pytest.fixture
    async def shop(self, port: int) -> AsyncIterator[Shop]:
        shop = Shop()
        app = web.Application()
        app.router.add_post("/", shop.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield shop
        await runner.cleanup()

    async def test_a_webhook_tool_is_asked_and_its_answer_goes_to_the_model(
        self, gate: SimulatedGate, gemini: FakeGemini, shop: Shop
    ) -> None:
        gemini.on_text(tool_call("shop", "id-1", day="mon"))
        gemini.on_tool_result(say=reply())
        async with gate.dial("1000", caller="+35988", speak=silence) as call:
            await call.lasts(5)
        assert [one["response"] for one in answers(gemini.session(0))] == [{"open": True}]
        assert shop.asked[0]["arguments"] == {"day": "mon"}
        assert shop.asked[0]["call"]["caller"] == "+35988"
        assert call.heard.only_from(gemini.session(0), at_least=REPLY_STAMPS)

    @pytest.mark.parametrize(
        ("status", "delay_s", "error"),
        [(500, 0.0, "HTTP 500"), (200, 9.0, "no result within 3 s")],
    )
    async def test_a_webhook_tool_that_is_unwell_is_told_and_the_sound_goes_on(
        self,
        gate: SimulatedGate,
        gemini: FakeGemini,
        shop: Shop,
        status: int,
        delay_s: float,
        error: str,
    ) -> None:
        shop.status, shop.delay_s = status, delay_s
        await self.fails(gate, gemini, error)

    async def test_a_webhook_tool_that_is_down_is_told_and_the_sound_goes_on(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        await self.fails(gate, gemini, "cannot be reached")

    async def fails(self, gate: SimulatedGate, gemini: FakeGemini, error: str) -> None:
        gemini.on_text(tool_call("shop", "id-1"))
        gemini.always(say=stamps(every_s=0.5))
        async with gate.dial("1000", speak=silence) as call:
            await call.lasts(5)
        [answer] = answers(gemini.session(0))
        assert error in answer["response"]["error"]
        assert call.heard.only_from(gemini.session(0), at_least=8)
        assert gemini.session(0).heard.duration_s == pytest.approx(5, abs=0.2)
