"""A call of ours as the gateway holds it."""

from __future__ import annotations

import asyncio

import pytest

from tests.voicegate.sip.test_incoming import Commands
from voicegate.sip.address import Address
from voicegate.sip.events import CallAnswered, CallFailed, CallRinging, DialogId
from voicegate.sip.outbound import InvitePlan
from voicegate.sip.outgoing import CallRefused, Destination, OutgoingCall

pytestmark = pytest.mark.virtual

PEER, OURS = Address("127.0.0.1", 5061), Address("127.0.0.1", 5060)
NAME = DialogId("c", "ours", "")


class Media:
    """Takes answers, or none."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes
        self.answers: list[bytes] = []

    def renegotiate(self, body: bytes) -> bytes | None:
        return body

    def offer(self) -> bytes | None:
        return b"offer"

    def agree(self, body: bytes) -> bool:
        self.answers.append(body)
        return self.takes


def a_call(commands: Commands, ring_limit_s: float = 60.0) -> OutgoingCall:
    plans: list[InvitePlan] = []

    def dial(_call: OutgoingCall, plan: InvitePlan) -> DialogId:
        plans.append(plan)
        return NAME

    to = Destination("sip:*31%23200@h", "sip:gw@h", PEER, ring_limit_s=ring_limit_s)
    return OutgoingCall(to, commands, dial, OURS, 1.0, NAME.call_id)


async def dialled(call: OutgoingCall) -> asyncio.Future[None]:
    dialling = asyncio.ensure_future(call.connect(b"offer"))
    await asyncio.sleep(0)
    return dialling


async def test_who_calls_whom_is_readable() -> None:
    call = a_call(Commands())
    assert (call.caller, call.called, call.source, call.local) == ("gw", "*31#200", PEER, OURS)


async def test_early_media_is_agreed_on_before_the_answer() -> None:
    call = a_call(Commands())
    media = call.media = Media()
    dialling = await dialled(call)
    call.take(CallRinging(NAME, 180, b""))
    call.take(CallRinging(NAME, 183, b"early"))
    assert not dialling.done()
    call.take(CallAnswered(NAME, b"answer"))
    await dialling
    assert media.answers == [b"early", b"answer"]


async def test_a_refusal_is_raised_with_its_status() -> None:
    call = a_call(Commands())
    dialling = await dialled(call)
    call.take(CallFailed(NAME, 486, "Busy Here"))
    with pytest.raises(CallRefused, match="486 Busy Here") as refusal:
        await dialling
    assert (refusal.value.status, call.status) == (486, 486)


async def test_nobody_answers_in_time() -> None:
    call = a_call(Commands(), ring_limit_s=5.0)
    began = asyncio.get_running_loop().time()
    dialling = await dialled(call)
    with pytest.raises(CallRefused) as refusal:
        await dialling
    assert refusal.value.status == 408
    assert asyncio.get_running_loop().time() - began == pytest.approx(5.0, abs=0.1)


async def test_an_answer_without_media_for_both_is_a_refusal() -> None:
    call = a_call(Commands())
    call.media = Media(takes=False)
    dialling = await dialled(call)
    call.take(CallAnswered(NAME, b"video only"))
    with pytest.raises(CallRefused) as refusal:
        await dialling
    assert refusal.value.status == 488


async def test_a_reject_gives_up_what_is_not_answered_and_nothing_else() -> None:
    commands = Commands()
    call = a_call(commands)
    await dialled(call)
    call.reject(503)
    call.take(CallAnswered(NAME, b"answer"))
    call.reject(503)
    assert commands.asked == [("order", NAME)]


async def test_whoever_dialled_may_be_gone_when_the_answer_comes() -> None:
    call = a_call(Commands())
    dialling = await dialled(call)
    dialling.cancel()
    await asyncio.sleep(0)
    call.take(CallAnswered(NAME, b"answer"))
    call.take(CallFailed(NAME, 487, "Given Up"))
