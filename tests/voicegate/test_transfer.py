"""`transfer`: what the model's tool gives back; scenarios/test_transfer.py tells the stories."""

import asyncio

import pytest

from simulator.gate.gate import SimulatedGate
from simulator.gate.transfer import TransferPlan
from voicegate.endings import HangupReason
from voicegate.gateway import Gateway
from voicegate.transfer import transfer

pytestmark = pytest.mark.virtual


async def test_a_transfer_that_comes_about_ends_the_call(
    gate: SimulatedGate, gateway: Gateway
) -> None:
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        result = await transfer(gateway.calls[1], "300")
        assert (result.ok, result.status, result.why) == (True, 200, "done")
        assert call.refers == [f"<sip:300@{gate.address}>"]
        await call.ended(by="gateway")


@pytest.mark.parametrize(
    ("plan", "status", "why"),
    [
        (TransferPlan(status=603), 603, "declined"),
        (TransferPlan(outcomes=(100, 486)), 486, "the line is busy"),
        (TransferPlan(outcomes=(100, 500)), 500, "it did not come about"),
    ],
    ids=["refused", "busy", "failed"],
)
async def test_one_that_does_not_leaves_the_call_as_it_was(
    gate: SimulatedGate, gateway: Gateway, plan: TransferPlan, status: int, why: str
) -> None:
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        call.transfer_plan = plan
        result = await transfer(gateway.calls[1], "300")
        assert (result.ok, result.status, result.why) == (False, status, why)
        await call.lasts(2)
        assert not gateway.calls[1].transferring


async def test_what_is_no_number_is_not_asked_for(gate: SimulatedGate, gateway: Gateway) -> None:
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        result = await transfer(gateway.calls[1], "sip:300@evil.example")
        assert (result.ok, result.status) == (False, 400)
        assert call.refers == []


async def test_a_bye_in_the_middle_of_a_transfer_means_that_it_came_about(
    gate: SimulatedGate, gateway: Gateway
) -> None:
    reasons: list[HangupReason] = []
    gateway._on_report = lambda report: reasons.append(report.reason)
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        call.transfer_plan = TransferPlan(outcomes=(100,), every_s=60.0)
        gateway.calls[1].transferring = True
        await call.hang_up()
    await asyncio.sleep(2)
    assert reasons == [HangupReason.TRANSFERRED]


async def test_a_tool_that_waits_no_longer_leaves_the_transfer_under_way(
    gate: SimulatedGate, gateway: Gateway
) -> None:
    """The caller spoke, and the model has taken its tool call back: the gate connects them."""
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        call.transfer_plan = TransferPlan(outcomes=(100, 200), every_s=2.0)
        waiting = asyncio.create_task(transfer(gateway.calls[1], "300"))
        await call.referred()
        waiting.cancel()
        await asyncio.wait([waiting])
        await call.ended(by="gateway", within_s=5)
