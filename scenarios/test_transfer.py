"""Blind transfer, asked by the gate or by the model, and the fall-back to the call."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from scenarios.test_odd_gates import PROFILES
from scenarios.test_tools import answers
from scenarios.trouble import STAMPS
from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gate.transfer import TransferPlan
from simulator.gemini.script import tool_call
from simulator.gemini.server import FakeGemini
from simulator.target.target import InProcess
from simulator.witness.witness import Witness

TALK_S = 3.0


async def test_a_refer_is_declined_unless_told_otherwise(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.always(say=STAMPS)
    async with gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1)
        transfer = await call.refer(f"sip:300@{gate.address}")
        assert transfer.status == 603
        await call.lasts(2)
    assert call.heard.only_from(gemini.session(0), at_least=4)


@pytest.fixture
async def follower(
    gateway_in_process: InProcess,
    errors: Witness,
    gemini: FakeGemini,
) -> AsyncIterator[tuple[str, int]]:
    """A gateway that follows a REFER; its address."""
    async with gateway_in_process.start({"sip": {"refer": "follow"}}) as gateway:
        yield gateway.address


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_a_followed_refer_calls_whom_it_names_and_tells_how_it_goes(
    follower: tuple[str, int], gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=STAMPS)
    gate = SimulatedGate(gateway=follower, profile=profile, rotate_source_port=False)
    async with gate, gate.answering("300", speak=STAMPS, ring_s=1.0) as callee:
        async with gate.dial("1000", speak=STAMPS) as call:
            await call.lasts(1)
            transfer = await call.refer(f"sip:300@{gate.address}")
            assert transfer.status == 202
            assert await call.transferred(transfer) == 200
            await call.ended(within_s=5)
        await callee.answered()
        await callee.lasts(TALK_S)
        assert transfer.progress[0] == 100
        assert callee.heard.only_from(gemini.session(1), at_least=3)
        await callee.hang_up()
        gate.check()


@pytest.mark.parametrize("status", [486, 603])
@pytest.mark.thorough(but=1)
async def test_one_that_fails_falls_back_to_the_call(
    follower: tuple[str, int], gemini: FakeGemini, status: int
) -> None:
    gemini.always(say=STAMPS)
    async with (
        SimulatedGate(gateway=follower) as gate,
        gate.answering("300", status=status),
        gate.dial("1000", speak=STAMPS) as call,
    ):
        await call.lasts(1)
        transfer = await call.refer(f"sip:300@{gate.address}")
        assert await call.transferred(transfer) == status
        await call.lasts(TALK_S)
        assert call.heard.only_from(gemini.session(0), at_least=6)


async def test_no_stranger_is_called_whatever_host_a_refer_names(
    follower: tuple[str, int],
) -> None:
    """Only the number counts: it is called by the gate that asks."""
    async with (
        SimulatedGate(gateway=follower) as stranger,
        SimulatedGate(gateway=follower) as gate,
        gate.answering("300") as callee,
        gate.dial("1000") as call,
    ):
        await call.lasts(1)
        transfer = await call.refer(f"sip:300@{stranger.address}")
        assert await call.transferred(transfer) == 200
        await callee.answered()


@pytest.fixture
async def receptionist(
    gateway_in_process: InProcess, errors: Witness, gemini: FakeGemini
) -> AsyncIterator[tuple[str, int]]:
    """A gateway whose model may connect callers to the workshop; its address."""
    tools = {"built_in": ["transfer_call"], "transfer_to": {"workshop": "300"}}
    async with gateway_in_process.start({"tools": tools}) as gateway:
        yield gateway.address


def told(gemini: FakeGemini) -> list[Any]:
    """What the model was told of its tool calls."""
    return [answer["response"] for answer in answers(gemini.session(0))]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_the_model_connects_the_caller_to_somebody_else(
    receptionist: tuple[str, int], gemini: FakeGemini, profile: str
) -> None:
    gemini.on_text(tool_call("transfer_call", "id-1", to="workshop"), say=stamps(0.5, count=3))
    gate = SimulatedGate(gateway=receptionist, profile=profile, rotate_source_port=False)
    async with gate, gate.dial("1000") as call:
        await call.referred()
        assert call.refers == [f"<sip:300@{gate.address}>"]
        # what it said with it was heard before
        assert call.heard.only_from(gemini.session(0), at_least=3)
        await call.ended(by="gateway", within_s=5)
        gate.check()


async def test_where_nobody_takes_the_caller_the_model_is_told_and_the_call_goes_on(
    receptionist: tuple[str, int], gemini: FakeGemini
) -> None:
    gemini.on_text(tool_call("transfer_call", "id-1", to="workshop"))
    gemini.on_tool_result(say=stamps(every_s=0.5, count=4))
    async with (
        SimulatedGate(gateway=receptionist) as gate,
        gate.dial("1000") as call,
    ):
        call.transfer_plan = TransferPlan(outcomes=(100, 486))
        await call.lasts(5)
        assert call.heard.only_from(gemini.session(0), at_least=4)
    error = "the line is busy; the caller is still here and hears you"
    assert told(gemini) == [{"error": error}]
