"""The endpoint: who is heard, what is answered without state, what is bounded and counted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sipmessage import Message as StrictMessage

from voicegate.sip.events import CallReceived
from voicegate.sip.headers import Address
from voicegate.sip.message import Request, serialise

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def test_an_invite_is_answered_100_at_once_and_told(rig: Rig) -> None:
    (trying,) = rig.receive(rig.request(body=rig.sdp))
    assert (brief([trying]), trying.to.tag) == (["100"], "")
    (event,) = rig.events()
    assert isinstance(event, CallReceived)
    assert event.invite.request.body == rig.sdp
    assert event.invite.source == rig.peer


def test_options_outside_a_call(rig: Rig) -> None:
    (answer,) = rig.receive(rig.request("OPTIONS"))
    assert brief([answer]) == ["200"]
    for name in ("Allow", "Accept", "Accept-Encoding", "Accept-Language", "Contact", "Server"):
        assert answer.header(name)
    assert answer.header("Supported") is not None
    assert rig.endpoint.transactions == 0


def test_not_ready_is_503_with_retry_after(rig: Rig) -> None:
    dialog = rig.confirmed("up")
    rig.is_ready = False
    for method in ("INVITE", "OPTIONS"):
        (answer,) = rig.receive(rig.request(method, call="new"))
        assert (brief([answer]), answer.header("Retry-After")) == (["503"], "5")
    assert rig.endpoint.counters["refused_busy"] == 2
    assert rig.endpoint.dialogs == 1
    assert brief(rig.receive(rig.within(dialog, "OPTIONS"))) == ["200"]
    assert brief(rig.receive(rig.within(dialog, "BYE", cseq=3))) == ["200"]


def test_a_source_that_is_not_allowed_gets_403_and_no_state(rig: Rig) -> None:
    stranger = Address("127.0.0.66", 5061)
    for method in ("INVITE", "OPTIONS", "BYE", "CANCEL", "REGISTER"):
        assert brief(rig.receive(rig.request(method), stranger)) == ["403"]
    for silent in (rig.request("ACK"), rig.request().replace(b"CSeq: 1", b"CSeq: x")):
        assert rig.receive(silent, stranger) == []
    assert rig.endpoint.counters["refused_sources"] == 6
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
    assert rig.events() == []


def test_a_stranger_cannot_end_a_call_nor_answer_for_the_peer(rig: Rig) -> None:
    dialog = rig.confirmed()
    stranger = Address("127.0.0.66", 5061)
    assert brief(rig.receive(rig.within(dialog, "BYE"), stranger)) == ["403"]
    rig.endpoint.hang_up(dialog, 0.0)
    (bye,) = rig.sent()
    rig.receive(rig.reply(bye, 200), stranger)
    assert rig.endpoint.unsettled == 1


def test_trap_1_the_port_of_a_gate_may_rotate(rig: Rig) -> None:
    dialog = rig.answered()
    rig.receive(rig.ack(dialog), Address("127.0.0.1", 40001))
    assert brief(rig.receive(rig.within(dialog, "BYE"), Address("127.0.0.1", 40002))) == ["200"]


@pytest.mark.parametrize("method", ["BYE", "INFO", "OPTIONS", "INVITE"])
def test_requests_of_no_dialog_are_481(rig: Rig, method: str) -> None:
    assert brief(rig.receive(rig.request(method, to_tag="unknown"))) == ["481"]
    assert rig.events() == []


def test_cancel_without_match_is_481(rig: Rig) -> None:
    assert brief(rig.receive(rig.request("CANCEL"))) == ["481"]
    rig.offered()
    assert brief(rig.receive(rig.request("CANCEL", branch="z9hG4bKother"))) == ["481"]
    assert rig.events() == []


def test_acks_and_responses_to_nothing_are_ignored_and_counted(rig: Rig) -> None:
    assert rig.receive(rig.request("ACK", to_tag="unknown")) == []
    dialog = rig.confirmed()
    rig.endpoint.hang_up(dialog, 0.0)
    (bye,) = rig.sent()
    stray = rig.reply(bye, 200).replace(b"z9hG4bK", b"z9hG4bKother")
    assert rig.receive(stray) == []
    counters = rig.endpoint.counters
    assert (counters["stray_acks"], counters["stray_responses"]) == (1, 1)


def test_the_same_invite_by_another_way_is_482(rig: Rig) -> None:
    rig.offered()
    assert brief(rig.receive(rig.request(branch="z9hG4bKother"))) == ["482"]
    assert brief(rig.receive(rig.request(cseq=2))) == ["100"]
    assert rig.endpoint.dialogs == 2


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", "400"),
        (b"Max-Forwards: 70", b"Call-ID: call-2", "400"),
        (b"Content-Length: 0", b"Content-Length: 7", "400"),
        (b"SIP/2.0\r\n", b"SIP/3.0\r\n", "505"),
        (b"sip:1000@127.0.0.1:5060 SIP", b"unknown:1 SIP", "416"),
        (b"Max-Forwards: 70", b"Require: 100rel", "420"),
        (b"Max-Forwards: 70", b"Accept: text/plain", "406"),
        (b"INVITE", b"SUBSCRIBE", "405"),
    ],
)
def test_broken_and_unwanted_requests(rig: Rig, old: bytes, new: bytes, status: str) -> None:
    count = 2 if old == b"INVITE" else 1
    (answer,) = rig.receive(rig.request(branch="z9hG4bK1").replace(old, new, count))
    assert brief([answer]) == [status]
    assert (rig.endpoint.dialogs, rig.endpoint.transactions, rig.events()) == (0, 0, [])
    assert brief(rig.receive(rig.request("OPTIONS"))) == ["200"]


def test_max_forwards_0_is_for_us_all_the_same(rig: Rig) -> None:
    request = rig.request("OPTIONS").replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
    assert brief(rig.receive(request)) == ["200"]


def test_silence_where_silence_is_right(rig: Rig) -> None:
    for data in (
        b"",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"garbage",
        b"\x80\0\0\1",
        b"SIP/2.0 200 OK\r\n\r\n",
    ):
        assert rig.receive(data) == []
    rig.receive(b"x" * 65_536)
    counters = rig.endpoint.counters
    assert (counters["keepalives"], counters["malformed"], counters["oversized"]) == (3, 3, 1)
    assert rig.endpoint.get_timer() is None


def test_dialogs_are_bounded_and_refusals_counted(small_rig: Rig) -> None:
    small_rig.offered("a")
    (busy,) = small_rig.receive(small_rig.request(call="b"))
    assert (brief([busy]), busy.header("Retry-After")) == (["503"], "5")
    assert small_rig.endpoint.counters["dropped_dialogs"] == 1


def test_transactions_are_bounded_and_nobody_is_left_without_an_answer(small_rig: Rig) -> None:
    rig = small_rig
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INFO", cseq=2))
    assert rig.endpoint.transactions == 2
    assert brief(rig.receive(rig.within(dialog, "INVITE", cseq=3))) == ["500"]
    assert brief(rig.receive(rig.within(dialog, "BYE", cseq=4))) == ["200"]
    assert rig.endpoint.counters["dropped_transactions"] == 2
    assert rig.endpoint.transactions == 2


def test_reject_takes_refusals_only(rig: Rig) -> None:
    with pytest.raises(ValueError, match="200"):
        rig.endpoint.reject(rig.offered(), 200, 0.0)


def test_commands_of_a_dialog_long_gone_do_nothing(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "BYE"))
    rig.run(100.0)
    endpoint = rig.endpoint
    for command in (endpoint.ring, endpoint.abort, endpoint.hang_up):
        command(dialog, 100.0)
    endpoint.answer(dialog, b"", 100.0)
    endpoint.reject(dialog, 486, 100.0)
    endpoint.answer_offer(dialog, b"", 100.0)
    assert rig.sent() == []
    assert not endpoint.is_up(dialog)
    assert brief(rig.receive(rig.request())) == ["100"]


def test_all_that_we_send_passes_a_strict_grammar(rig: Rig) -> None:
    """The judge is other people's: sipmessage accepts no folding, no bare LF, no loose header."""
    dialog = rig.confirmed()
    sent = rig.receive(rig.request("OPTIONS", call="o"))
    sent += rig.receive(rig.request(call="c"))
    sent += rig.receive(rig.request("CANCEL", call="c", branch="z9hG4bK-c-1-INVITE"))
    sent += rig.receive(rig.request("PUBLISH"))
    sent += rig.receive(rig.request(call="r", extra=["Require: x"]))
    sent += rig.receive(rig.within(dialog, "INVITE"))
    rig.endpoint.answer_offer(dialog, rig.sdp, 0.0)
    rig.endpoint.hang_up(dialog, 0.0)
    sent += rig.sent()
    assert brief(sent) == ["200", "100", "200", "487", "405", "420", "200", "BYE"]
    for message in sent:
        strict = StrictMessage.parse(serialise(message))
        assert bytes(strict)
        assert strict.cseq is not None
        assert len(strict.via) == 1
        assert strict.from_address is not None
        assert strict.to_address is not None


def test_one_invite_costs_far_below_a_millisecond(rig: Rig) -> None:
    rounds = 300
    began = time.process_time()
    for number in range(rounds):
        rig.endpoint.receive_datagram(
            rig.request(call=f"c{number}", body=rig.sdp), rig.peer, 0.0, rig.local
        )
        rig.endpoint.answer(rig.events()[0].dialog, rig.sdp, 0.0)
        rig.endpoint.datagrams_to_send()
        rig.endpoint.get_timer()
    assert (time.process_time() - began) / rounds < 0.002
