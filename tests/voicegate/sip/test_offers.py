"""re-INVITE in every state of a call: it is answered, and never ends the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegate.sip.events import (
    AnswerReceived,
    CallConfirmed,
    OfferReceived,
)
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def at(seen: list[tuple[float, Message]], what: str) -> list[float]:
    return [when for when, message in seen if brief([message]) == [what]]


def test_a_reinvite_right_after_the_ack(rig: Rig) -> None:
    dialog = rig.confirmed()
    offer = rig.within(dialog, "INVITE", body=b"new")
    assert rig.receive(offer) == []
    assert rig.events() == [OfferReceived(dialog, b"new")]
    rig.endpoint.answer_offer(dialog, b"same", 0.0)
    (answer,) = rig.sent()
    assert (brief([answer]), answer.body, str(answer.cseq)) == (["200"], b"same", "2 INVITE")
    assert answer.to.tag == dialog.local_tag
    assert rig.receive(offer) == [answer]
    assert at(rig.run(2.0), "200") == [0.5, 1.5]
    rig.receive(rig.ack(dialog, cseq=2))
    assert rig.run(100.0) == []
    assert rig.endpoint.is_up(dialog)


def test_a_reinvite_before_the_ack_is_answered_and_its_ack_counts_for_both(rig: Rig) -> None:
    dialog = rig.answered()
    rig.receive(rig.within(dialog, "INVITE"))
    assert rig.events() == [OfferReceived(dialog, b"")]
    rig.endpoint.answer_offer(dialog, b"same", 0.0)
    rig.receive(rig.ack(dialog, cseq=2))
    assert rig.events() == [CallConfirmed(dialog)]
    assert rig.run(100.0) == []


def test_a_refused_reinvite_leaves_the_call_up(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE"))
    rig.endpoint.answer_offer(dialog, None, 0.0)
    assert brief(rig.sent()) == ["488"]
    rig.receive(rig.ack(dialog, cseq=2, branch="z9hG4bK-call-1-2-INVITE"))
    assert rig.run(100.0) == []
    assert rig.endpoint.is_up(dialog)


def test_a_reinvite_without_ack_is_counted_and_the_call_goes_on(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE"))
    rig.endpoint.answer_offer(dialog, b"same", 0.0)
    assert at(rig.run(100.0), "200")[-1] == 31.5
    assert rig.endpoint.counters["reinvite_acks_missing"] == 1
    assert rig.endpoint.is_up(dialog)


def test_two_offers_at_once(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE", cseq=2))
    (busy,) = rig.receive(rig.within(dialog, "INVITE", cseq=3))
    assert brief([busy]) == ["500"]
    assert 0 <= int(busy.header("Retry-After") or "-1") <= 10
    rig.endpoint.answer_offer(dialog, b"same", 0.0)
    assert brief(rig.sent()) == ["200"]


def test_a_reinvite_before_any_answer_is_500(rig: Rig) -> None:
    dialog = rig.offered()
    assert brief(rig.receive(rig.within(dialog, "INVITE"))) == ["500"]
    assert rig.events() == []


def test_a_new_offer_takes_the_place_of_one_whose_ack_is_missing(rig: Rig) -> None:
    dialog = rig.confirmed()
    for cseq in (2, 3):
        rig.receive(rig.within(dialog, "INVITE", cseq=cseq))
        rig.endpoint.answer_offer(dialog, b"%d" % cseq, 0.0)
    rig.sent()
    assert {message.body for _, message in rig.run(31.0)} == {b"3"}


def test_cancel_of_a_pending_reinvite(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE"))
    cancel = rig.within(dialog, "CANCEL", branch="z9hG4bK-call-1-2-INVITE")
    assert brief(rig.receive(cancel)) == ["200", "487"]
    rig.endpoint.answer_offer(dialog, b"late", 0.0)
    assert rig.sent() == []
    assert rig.endpoint.is_up(dialog)


def test_a_bye_while_an_offer_is_open_answers_both(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE"))
    assert brief(rig.receive(rig.within(dialog, "BYE", cseq=3))) == ["200", "487"]


def test_an_offer_while_we_leave_is_refused(rig: Rig) -> None:
    dialog = rig.answered()
    rig.endpoint.hang_up(dialog, 0.0)
    assert brief(rig.receive(rig.within(dialog, "INVITE"))) == ["488"]


def test_an_accepted_offer_moves_the_target(rig: Rig) -> None:
    dialog = rig.confirmed()
    offer = rig.within(dialog, "INVITE").replace(
        b"100@127.0.0.1:5061>\r\nCo", b"7@127.0.0.1:7>\r\nCo"
    )
    rig.receive(offer)
    rig.endpoint.answer_offer(dialog, b"same", 0.0)
    rig.sent()
    rig.endpoint.hang_up(dialog, 0.0)
    ((bye, where),) = rig.addressed()
    assert isinstance(bye, Request)
    assert (bye.uri, where.port) == ("sip:7@127.0.0.1:7", 7)


# Where the offer is ours


def test_the_ack_of_an_offerless_reinvite_brings_the_answer(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "INVITE"))
    assert rig.events() == [OfferReceived(dialog, b"")]
    rig.endpoint.answer_offer(dialog, b"our offer", 0.0)
    (answer,) = rig.sent()
    assert answer.body == b"our offer"
    ack = rig.request("ACK", cseq=2, to_tag=dialog.local_tag, body=b"their answer")
    rig.receive(ack)
    rig.receive(ack)
    assert rig.events() == [AnswerReceived(dialog, b"their answer")]


def test_the_ack_of_an_offerless_invite_brings_the_answer(rig: Rig) -> None:
    rig.receive(rig.request())
    (event,) = rig.events()
    rig.endpoint.answer(event.dialog, b"our offer", 0.0)
    rig.receive(rig.request("ACK", to_tag=event.dialog.local_tag, body=b"their answer"))
    assert rig.events() == [CallConfirmed(event.dialog, b"their answer")]


# UPDATE (RFC 3311)


def test_an_update_with_an_offer_is_answered_and_needs_no_ack(rig: Rig) -> None:
    dialog = rig.confirmed()
    update = rig.within(dialog, "UPDATE", body=b"hold")
    rig.receive(update)
    assert rig.events() == [OfferReceived(dialog, b"hold")]
    rig.endpoint.answer_offer(dialog, b"held", 0.0)
    (answer,) = rig.sent()
    assert (answer.body, answer.header("Contact")) == (b"held", "<sip:127.0.0.1:5060>")
    assert rig.receive(update) == [answer]
    assert rig.run(100.0) == []


def test_an_update_with_an_offer_before_our_answer_is_500(rig: Rig) -> None:
    dialog = rig.offered()
    (busy,) = rig.receive(rig.within(dialog, "UPDATE", body=b"x"))
    assert brief([busy]) == ["500"]
    assert busy.header("Retry-After")


def test_a_refused_update_leaves_the_call_up(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "UPDATE", body=b"x"))
    rig.endpoint.answer_offer(dialog, None, 0.0)
    assert brief(rig.sent()) == ["488"]
    assert rig.endpoint.is_up(dialog)


# Glare


def test_an_offer_that_crosses_ours_is_491(rig: Rig) -> None:
    timer = ["Supported: timer", "Session-Expires: 180;refresher=uas"]
    dialog = rig.confirmed(extra=timer)
    refresh = rig.run(90.0)[-1][1]
    for method in ("INVITE", "UPDATE"):
        cseq = 2 if method == "INVITE" else 3
        crossing = rig.within(dialog, method, cseq=cseq, body=b"hold")
        assert brief(rig.receive(crossing)) == ["491"]
    # one that offers nothing does not cross
    assert brief(rig.receive(rig.within(dialog, "UPDATE", cseq=4))) == ["200"]
    assert rig.events() == []
    rig.receive(rig.reply(refresh, 200, body=rig.sdp))
    assert rig.events() == [AnswerReceived(dialog, rig.sdp)]
    rig.receive(rig.within(dialog, "INVITE", cseq=5, body=b"hold"))
    assert rig.events() == [OfferReceived(dialog, b"hold")]
