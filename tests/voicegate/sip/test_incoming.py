"""An inbound call as the gateway holds it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest

from voicegate.sip.events import CallReceived, DialogEnd, DialogId
from voicegate.sip.incall import DialogUsage
from voicegate.sip.incoming import IncomingCall
from voicegate.sip.message import Received, Request, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.voicegate.sip.conftest import Rig


T = TypeVar("T")


class Commands:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def order(self, dialog: DialogId, command: Callable[[DialogUsage, float], T]) -> T | None:
        self.asked.append(("order", dialog))
        return None

    def ring(self, dialog: DialogId) -> None:
        self.asked.append(("ring", dialog))

    def answer(self, dialog: DialogId, sdp: bytes) -> None:
        self.asked.append(("answer", dialog, sdp))

    def reject(self, dialog: DialogId, status: int, retry_after_s: int | None) -> None:
        self.asked.append(("reject", dialog, status, retry_after_s))


DIALOG = DialogId("call-1", "ours", "peer")


def a_call(rig: Rig, commands: Commands | None = None, **fields: object) -> IncomingCall:
    message = parse(rig.request(body=rig.sdp, **fields))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    event = CallReceived(DIALOG, Received(message, rig.peer, rig.local))
    return IncomingCall(event, commands or Commands(), 12.5)


async def test_what_the_gateway_sees_of_an_invite(rig: Rig) -> None:
    call = a_call(rig, uri="sip:*31%23100@h", extra=["X-Asterisk-Linkedid: 17"])
    assert (call.caller, call.called, call.call_id) == ("100", "*31#100", "call-1")
    assert (call.body, call.source, call.local) == (rig.sdp, rig.peer, rig.local)
    assert call.received_at == 12.5
    assert call.header("x-asterisk-linkedid") == "17"
    assert call.header("X-None") is None
    assert call.media.renegotiate(b"") is None


async def test_without_a_user_the_request_uri_leaves_it_to_the_to(rig: Rig) -> None:
    assert a_call(rig, uri="sip:127.0.0.1").called == "1000"


async def test_commands_go_to_the_user_agent(rig: Rig) -> None:
    commands = Commands()
    call = a_call(rig, commands)
    call.ring()
    call.answer(b"sdp")
    call.reject(486)
    call.reject(503, retry_after_s=5)
    assert not call.hang_up()
    call.abort()
    assert commands.asked == [
        ("ring", DIALOG),
        ("answer", DIALOG, b"sdp"),
        ("reject", DIALOG, 486, None),
        ("reject", DIALOG, 503, 5),
        ("order", DIALOG),
        ("order", DIALOG),
    ]


async def test_the_end_may_be_awaited_early_late_and_again(rig: Rig) -> None:
    call = a_call(rig)
    early = asyncio.ensure_future(call.ended_by_peer())
    given_up = asyncio.ensure_future(call.ended_by_peer())
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    call.end_by_peer(DialogEnd.BYE)
    assert await early is DialogEnd.BYE
    assert await call.ended_by_peer() is DialogEnd.BYE
    assert call.end is DialogEnd.BYE
