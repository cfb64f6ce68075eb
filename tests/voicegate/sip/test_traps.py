"""What other gateways got wrong (docs/traps.md), where no test of one module shows it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.voicegate.sip.conftest import brief
from voicegate.sip.events import AckMissing, CallConfirmed, DialogReleased
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

TIMER = ("Supported: timer", "Session-Expires: 180;refresher=uas")
FROM_THE_REQUEST = ("From", "Call-ID", "CSeq")
CALLS = 20


def numbers(messages: list[Message]) -> list[int]:
    return [message.cseq.number for message in messages]


def test_trap_2_refresh_refer_and_bye_share_one_growing_cseq(rig: Rig) -> None:
    dialog = rig.confirmed(extra=TIMER)
    refresh = rig.run(90.0)[-1][1]
    (ack,) = rig.receive(rig.reply(refresh, 200, body=rig.sdp))
    usage = rig.endpoint.usage(dialog)
    assert usage is not None
    assert usage.refer("sip:300@127.0.0.1:5061", rig.now)
    refer = rig.our("REFER")
    rig.receive(rig.reply(refer, 202))
    rig.endpoint.hang_up(dialog, rig.now)
    bye = rig.our("BYE")
    assert brief([refresh, ack, refer, bye]) == ["INVITE", "ACK", "REFER", "BYE"]
    first = refresh.cseq.number
    assert numbers([refresh, ack, refer, bye]) == [first, first, first + 1, first + 2]


def test_trap_2_our_bye_goes_to_the_contact(rig: Rig) -> None:
    """Not to whom the INVITE was for, nor to whence it came: where the peer says that it is."""
    invite = rig.request(body=rig.sdp)
    rig.receive(
        invite.replace(b"Contact: <sip:100@127.0.0.1:5061>", b"Contact: <sip:7@127.0.0.1:7>")
    )
    (event,) = rig.events()
    dialog = event.dialog
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    rig.sent()
    rig.receive(rig.ack(dialog))
    rig.endpoint.hang_up(dialog, 0.0)
    ((bye, where),) = rig.addressed()
    assert isinstance(bye, Request)
    assert (bye.method, bye.uri, where.port) == ("BYE", "sip:7@127.0.0.1:7", 7)


def test_trap_3_an_invite_that_comes_again_behind_the_ack_is_no_second_call(rig: Rig) -> None:
    invite = rig.request(body=rig.sdp)
    dialog = rig.answered()
    rig.receive(rig.ack(dialog))
    assert rig.events() == [CallConfirmed(dialog)]
    for now in (0.1, 5.0, 31.9):
        rig.run(now)
        (again,) = rig.receive(invite)
        assert (brief([again]), again.to.tag, again.body) == (["200"], dialog.local_tag, rig.sdp)
    rig.receive(rig.ack(dialog))
    assert (rig.events(), rig.endpoint.dialogs) == ([], 1)


def test_trap_3_without_an_ack_all_is_released(rig: Rig) -> None:
    dialog = rig.answered()
    rig.run(32.0)
    assert rig.events() == [AckMissing(dialog)]
    rig.run(100.0)
    assert rig.events() == [DialogReleased(dialog)]
    assert (rig.endpoint.dialogs, rig.endpoint.transactions, rig.endpoint.unsettled) == (0, 0, 0)
    assert rig.endpoint.get_timer() is None


def test_twenty_calls_that_we_end_leave_zero_entries(rig: Rig) -> None:
    """Answered, refused and unanswered BYEs among them."""
    for number in range(CALLS):
        dialog = rig.confirmed(f"call-{number}")
        rig.endpoint.hang_up(dialog, rig.now)
        bye = rig.our("BYE")
        if number % 3 < 2:
            rig.receive(rig.reply(bye, (200, 481)[number % 3]))
    rig.run(rig.now + 64.0)
    assert [type(event) for event in rig.events()] == [DialogReleased] * CALLS
    endpoint = rig.endpoint
    assert (endpoint.dialogs, endpoint.transactions, endpoint.unsettled) == (0, 0, 0)
    assert endpoint.get_timer() is None


def test_info_and_options_in_a_call_are_answered_with_full_headers(rig: Rig) -> None:
    """A gate that misses one of them takes us for unreachable."""
    dialog = rig.confirmed()
    more = ["Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKfar"]
    for method, cseq in (("INFO", 2), ("OPTIONS", 3)):
        request = rig.within(dialog, method, cseq=cseq, body=b"Signal=5", extra=more)
        (answer,) = rig.receive(request)
        lines = dict(
            line.split(b": ", 1) for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        )
        assert brief([answer]) == ["200"]
        for name in FROM_THE_REQUEST:
            assert answer.header(name) == lines[name.encode()].decode(), name
        assert answer.to.tag == dialog.local_tag
        vias = answer.header_lines("Via")
        assert [via.partition("branch=")[2].partition(";")[0] for via in vias] == [
            f"z9hG4bK-call-1-{cseq}-{method}",
            "z9hG4bKfar",
        ]
        assert answer.header("Server") == "voicegate/test"
    assert answer.header("Allow")
    assert answer.header("Contact") == "<sip:127.0.0.1:5060>"


def test_100rel_that_is_only_supported_is_not_used_and_a_prack_is_405(rig: Rig) -> None:
    dialog = rig.offered(extra=["Supported: 100rel, timer"])
    rig.endpoint.ring(dialog, 0.0)
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    ringing, answer = rig.sent()
    assert brief([ringing, answer]) == ["180", "200"]
    for message in (ringing, answer):
        assert (message.header("RSeq"), message.header("Require")) == (None, None)
        assert "100rel" not in (message.header("Supported") or "")
    rig.receive(rig.ack(dialog))
    (refusal,) = rig.receive(rig.within(dialog, "PRACK", extra=["RAck: 1 1 INVITE"]))
    assert brief([refusal]) == ["405"]
    assert "PRACK" not in (refusal.header("Allow") or "PRACK")
    assert rig.endpoint.is_up(dialog)
