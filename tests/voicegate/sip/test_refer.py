"""Blind transfer, asked of us and asked by us (RFC 3515)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.events import CallLost, ReferReceived, TransferTold
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig
    from voicegate.sip.events import DialogId

TO = "Refer-To: <sip:300@127.0.0.1:5061>"


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def notify(rig: Rig, dialog: DialogId, fragment: bytes, state: str, cseq: int = 2) -> list[str]:
    extra = ("Event: refer", f"Subscription-State: {state}")
    data = rig.within(dialog, "NOTIFY", cseq=cseq, body=fragment, extra=extra)
    return brief(rig.receive(data))


# Asked of us


def test_a_declined_refer_leaves_the_call_as_it_was(rig: Rig) -> None:
    dialog = rig.confirmed()
    assert rig.receive(rig.within(dialog, "REFER", extra=[TO])) == []
    assert rig.events() == [ReferReceived(dialog, "sip:300@127.0.0.1:5061")]
    usage = rig.endpoint.usage(dialog)
    assert usage is not None
    usage.referrals.answer(603, 0.0)
    assert brief(rig.sent()) == ["603"]
    assert rig.run(100.0) == []
    assert rig.endpoint.is_up(dialog)


def test_an_accepted_refer_is_told_how_it_goes(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "REFER", cseq=5, extra=[TO]))
    usage = rig.endpoint.usage(dialog)
    assert usage is not None
    usage.referrals.answer(202, 0.0)
    accepted, first = rig.sent()
    assert brief([accepted, first]) == ["202", "NOTIFY"]
    assert first.header("Event") == "refer;id=5"
    assert (first.header("Subscription-State") or "").startswith("active")
    assert first.body == b"SIP/2.0 100 Trying\r\n"
    rig.receive(rig.reply(first, 200))
    usage.referrals.tell(486, 1.0)
    last = rig.our("NOTIFY")
    assert last.header("Subscription-State") == "terminated;reason=noresource"
    assert last.body.startswith(b"SIP/2.0 486 ")
    usage.referrals.tell(200, 1.0)
    assert rig.sent() == []


@pytest.mark.parametrize(
    "extra",
    [[], [TO, TO], ["Refer-To: <tel:+359888>"], ["Refer-To: nonsense"]],
    ids=["none", "two", "no SIP", "no URI"],
)
def test_a_refer_without_one_sip_target_is_400(rig: Rig, extra: list[str]) -> None:
    dialog = rig.confirmed()
    assert brief(rig.receive(rig.within(dialog, "REFER", extra=extra))) == ["400"]
    assert rig.events() == []


def test_what_hangs_on_the_target_never_becomes_ours(rig: Rig) -> None:
    dialog = rig.confirmed()
    target = "Refer-To: <sip:300@127.0.0.1?Route=evil&Replaces=x>"
    rig.receive(rig.within(dialog, "REFER", extra=[target]))
    assert rig.events() == [ReferReceived(dialog, "sip:300@127.0.0.1")]


def test_one_refer_at_a_time(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "REFER", extra=[TO]))
    assert brief(rig.receive(rig.within(dialog, "REFER", cseq=3, extra=[TO]))) == ["491"]


def test_a_bye_answers_the_refer_as_well(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "REFER", extra=[TO]))
    assert brief(rig.receive(rig.within(dialog, "BYE", cseq=3))) == ["200", "487"]


def test_a_refer_outside_of_a_call_is_481(rig: Rig) -> None:
    assert brief(rig.receive(rig.request("REFER", extra=[TO]))) == ["481"]


# Asked by us


def referred(rig: Rig) -> tuple[DialogId, Request]:
    dialog = rig.confirmed()
    usage = rig.endpoint.usage(dialog)
    assert usage is not None
    assert usage.refer("sip:300@127.0.0.1:5061", 0.0)
    assert not usage.refer("sip:301@127.0.0.1:5061", 0.0)
    return dialog, rig.our("REFER")


def test_our_refer_names_the_target_and_who_asks(rig: Rig) -> None:
    _, refer = referred(rig)
    assert refer.header("Refer-To") == "<sip:300@127.0.0.1:5061>"
    assert refer.header("Referred-By") == "<sip:1000@127.0.0.1:5060>"
    assert refer.header("Contact")


def test_the_peer_tells_how_it_goes(rig: Rig) -> None:
    dialog, refer = referred(rig)
    rig.receive(rig.reply(refer, 202))
    assert notify(rig, dialog, b"SIP/2.0 100 Trying", "active") == ["200"]
    assert notify(rig, dialog, b"SIP/2.0 200 OK", "terminated;reason=noresource", 3) == ["200"]
    assert rig.events() == [TransferTold(dialog, 100, False), TransferTold(dialog, 200, True)]
    assert notify(rig, dialog, b"SIP/2.0 200 OK", "terminated", 4) == ["481"]


def test_a_notify_may_overtake_the_202(rig: Rig) -> None:
    dialog, refer = referred(rig)
    assert notify(rig, dialog, b"SIP/2.0 180 Ringing", "active") == ["200"]
    rig.receive(rig.reply(refer, 202))
    assert rig.events() == [TransferTold(dialog, 180, False)]


@pytest.mark.parametrize("status", [403, 405, 603])
def test_a_refusal_is_told_and_the_call_goes_on(rig: Rig, status: int) -> None:
    dialog, refer = referred(rig)
    rig.receive(rig.reply(refer, status))
    assert rig.events() == [TransferTold(dialog, status, True)]
    assert rig.endpoint.is_up(dialog)


def test_a_peer_that_knows_the_call_no_more_ends_it(rig: Rig) -> None:
    dialog, refer = referred(rig)
    rig.receive(rig.reply(refer, 481))
    assert rig.events() == [TransferTold(dialog, 481, True), CallLost(dialog)]


def test_a_notify_of_nothing_is_481(rig: Rig) -> None:
    dialog = rig.confirmed()
    assert notify(rig, dialog, b"SIP/2.0 200 OK", "terminated") == ["481"]
    assert rig.events() == []
