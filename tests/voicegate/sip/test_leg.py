"""What events do to a call, whichever side began it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.voicegate.sip.conftest import Rig
from voicegate.sip.address import Address
from voicegate.sip.events import (
    CallConfirmed,
    DialogEnd,
    DialogId,
    InfoReceived,
    OfferReceived,
    ReferReceived,
    TransferTold,
)
from voicegate.sip.leg import TRANSFER_LIMIT_S, CallLeg
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicegate.sip.incall import DialogUsage

pytestmark = pytest.mark.virtual
T = TypeVar("T")


class Line:
    """A leg on a real endpoint, without a socket."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.dialog = self.rig.confirmed()
        peer, local = Address("127.0.0.1", 5061), Address("127.0.0.1", 5060)
        self.leg = CallLeg(self.dialog, self, peer, local, 0.0)

    def order(self, dialog: DialogId, command: Callable[[DialogUsage, float], T]) -> T | None:
        usage = self.rig.endpoint.usage(dialog)
        return None if usage is None else command(usage, self.rig.now)

    def ring(self, dialog: DialogId) -> None:
        raise NotImplementedError

    def answer(self, dialog: DialogId, sdp: bytes) -> None:
        raise NotImplementedError

    def reject(self, dialog: DialogId, status: int, retry_after_s: int | None) -> None:
        raise NotImplementedError

    def receive(self, data: bytes) -> list[str]:
        """What the peer sends, and what goes back."""
        sent = self.rig.receive(data)
        for event in self.rig.events():
            self.leg.take(event)
        sent += self.rig.sent()
        return [m.method if isinstance(m, Request) else str(m.status) for m in sent]


class Media:
    """Describes the media of a call in few words."""

    def renegotiate(self, body: bytes) -> bytes | None:
        return None if body == b"video" else body

    def offer(self) -> bytes | None:
        return b"our offer"

    def agree(self, body: bytes) -> bool:
        return bool(body)


@pytest.fixture
def line() -> Line:
    return Line()


async def test_an_offer_is_refused_before_and_behind_the_call(line: Line) -> None:
    assert line.receive(line.rig.within(line.dialog, "INVITE", body=b"x")) == ["488"]
    line.leg.media = Media()
    assert line.receive(line.rig.within(line.dialog, "INVITE", cseq=3, body=b"x")) == ["200"]
    assert line.receive(line.rig.within(line.dialog, "UPDATE", cseq=4, body=b"video")) == ["488"]
    line.leg.let_go()
    assert line.receive(line.rig.within(line.dialog, "UPDATE", cseq=5, body=b"x")) == ["488"]


async def test_without_an_answer_in_the_ack_nobody_can_be_heard(line: Line) -> None:
    line.leg.media = Media()
    line.leg.take(CallConfirmed(line.dialog, b"answer"))
    assert line.leg.end is None
    line.leg.take(CallConfirmed(line.dialog))
    assert line.leg.end is DialogEnd.NO_MEDIA
    line.rig.our("BYE")


async def test_a_refer_is_declined_unless_somebody_follows_it(line: Line) -> None:
    refer = ["Refer-To: <sip:300@127.0.0.1>"]
    assert line.receive(line.rig.within(line.dialog, "REFER", extra=refer)) == ["603"]
    asked: list[str] = []

    def follow(target: str) -> int:
        asked.append(target)
        return 202

    line.leg.referred = follow
    answers = line.receive(line.rig.within(line.dialog, "REFER", cseq=3, extra=refer))
    assert answers == ["202", "NOTIFY"]
    assert asked == ["sip:300@127.0.0.1"]
    line.leg.tell_transfer(200)
    assert line.rig.our("NOTIFY").body == b"SIP/2.0 200 OK\r\n"


async def test_a_transfer_gives_what_was_told_last(line: Line) -> None:
    waiting = asyncio.ensure_future(line.leg.transfer("sip:300@127.0.0.1"))
    await asyncio.sleep(0)
    line.rig.our("REFER")
    assert await line.leg.transfer("sip:301@127.0.0.1") == 491
    line.leg.take(TransferTold(line.dialog, 180, False))
    assert not waiting.done()
    line.leg.take(TransferTold(line.dialog, 486, True))
    assert await waiting == 486
    line.leg.take(TransferTold(line.dialog, 200, True))


async def test_how_a_transfer_went_is_told_also_where_nobody_waits_any_more(line: Line) -> None:
    late: list[int] = []
    line.leg.transferred_late = late.append
    waiting = asyncio.ensure_future(line.leg.transfer("sip:300@127.0.0.1"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    line.leg.take(TransferTold(line.dialog, 200, True))
    assert late == [200]


async def test_a_transfer_of_which_nothing_is_told_is_given_up(line: Line) -> None:
    began = asyncio.get_running_loop().time()
    assert await line.leg.transfer("sip:300@127.0.0.1") == 408
    took = asyncio.get_running_loop().time() - began
    assert took == pytest.approx(TRANSFER_LIMIT_S, abs=0.1)


async def test_what_comes_behind_the_end_does_nothing(line: Line) -> None:
    line.leg.let_go()
    for event in (
        InfoReceived(line.dialog, "application/dtmf", b"5"),
        OfferReceived(line.dialog, b"x"),
        ReferReceived(line.dialog, "sip:1@h"),
        TransferTold(line.dialog, 200, True),
    ):
        line.leg.take(event)
    assert line.rig.sent() == []
