"""Who is heard: strangers are refused or asked, without memory and without answering a flood."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.voicegate.sip.conftest import brief
from voicegate.sip.access import STRANGERS_PER_S, Bucket
from voicegate.sip.address import Address
from voicegate.sip.digest import Answerer, Credentials, best_challenge
from voicegate.sip.events import CallReceived
from voicegate.sip.message import Response

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

STRANGER = Address("127.0.0.66", 5061)
ANOTHER = Address("127.0.0.77", 5061)


def credentials(challenge: Message, method: str = "INVITE", password: str = "secret") -> str:
    assert isinstance(challenge, Response)
    asked = best_challenge(challenge.header_lines("WWW-Authenticate"))
    assert asked is not None
    answerer = Answerer(Credentials("gate", password), random.Random(5))
    return f"Authorization: {answerer.answer(asked, method, 'sip:1000@127.0.0.1:5060')}"


def test_a_stranger_is_asked_for_a_password_and_nothing_is_remembered(guarded_rig: Rig) -> None:
    rig = guarded_rig
    (asked,) = rig.receive(rig.request(body=rig.sdp), STRANGER)
    assert brief([asked]) == ["401"]
    assert len(asked.header_lines("WWW-Authenticate")) == 2
    assert (rig.endpoint.dialogs, rig.endpoint.transactions, rig.events()) == (0, 0, [])
    assert rig.receive(rig.request("ACK", to_tag=asked.to.tag), STRANGER) == []


def authorised(rig: Rig) -> str:
    """A stranger who knows the password has called and was answered; our tag."""
    (asked,) = rig.receive(rig.request(body=rig.sdp), STRANGER)
    given = [credentials(asked)]
    (trying,) = rig.receive(rig.request(cseq=2, extra=given, body=rig.sdp), STRANGER)
    assert brief([trying]) == ["100"]
    (event,) = rig.events()
    assert isinstance(event, CallReceived)
    rig.endpoint.answer(event.dialog, rig.sdp, rig.now)
    rig.sent()
    return event.dialog.local_tag


def test_who_knows_the_password_calls_and_hangs_up_without_another(guarded_rig: Rig) -> None:
    rig = guarded_rig
    tag = authorised(rig)
    again = rig.request(cseq=2, body=rig.sdp)
    assert brief(rig.receive(again, STRANGER)) == ["200"], "its retransmission needs no password"
    assert rig.receive(rig.request("ACK", cseq=2, to_tag=tag), STRANGER) == []
    assert rig.endpoint.unsettled == 0
    assert brief(rig.receive(rig.request("BYE", cseq=3, to_tag=tag), STRANGER)) == ["200"]


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "UPDATE", "CANCEL"])
def test_a_third_party_that_knows_the_tags_is_still_a_stranger(
    guarded_rig: Rig, method: str
) -> None:
    rig = guarded_rig
    tag = authorised(rig)
    rig.receive(rig.request("ACK", cseq=2, to_tag=tag), ANOTHER)
    assert rig.endpoint.unsettled == 1, "nor does its ACK count"
    due = "403" if method == "CANCEL" else "401"
    assert brief(rig.receive(rig.request(method, cseq=3, to_tag=tag), ANOTHER)) == [due]
    cancel = rig.request("CANCEL", cseq=2, branch="z9hG4bK-call-1-2-INVITE")
    # RFC 3261 22.1: it cannot be sent again, so it is not asked for a password
    assert brief(rig.receive(cancel, ANOTHER)) == ["403"]
    assert [type(event).__name__ for event in rig.events()] == []


def test_a_stranger_who_called_may_cancel(guarded_rig: Rig) -> None:
    rig = guarded_rig
    (asked,) = rig.receive(rig.request(), STRANGER)
    rig.receive(rig.request(cseq=2, extra=[credentials(asked)]), STRANGER)
    cancel = rig.request("CANCEL", cseq=2, branch="z9hG4bK-call-1-2-INVITE")
    assert brief(rig.receive(cancel, STRANGER)) == ["200", "487"]


def test_a_wrong_password_is_403_and_an_old_nonce_is_asked_for_again(guarded_rig: Rig) -> None:
    rig = guarded_rig
    (asked,) = rig.receive(rig.request(), STRANGER)
    wrong = rig.request(cseq=2, extra=[credentials(asked, password="guess")])
    assert brief(rig.receive(wrong, STRANGER)) == ["403"]
    rig.now = 1000.0
    (again,) = rig.receive(rig.request(cseq=3, extra=[credentials(asked)]), STRANGER)
    assert "stale=true" in (again.header("WWW-Authenticate") or "")
    assert brief(rig.receive(rig.request(cseq=4, extra=[credentials(again)]), STRANGER)) == ["100"]


def test_an_answer_overheard_by_a_third_party_is_worth_nothing(guarded_rig: Rig) -> None:
    rig = guarded_rig
    (asked,) = rig.receive(rig.request(), STRANGER)
    given = [credentials(asked)]
    assert brief(rig.receive(rig.request(cseq=2, extra=given), STRANGER)) == ["100"]
    replayed = rig.request(call="another", cseq=2, extra=given)
    assert brief(rig.receive(replayed, ANOTHER)) == ["401"]
    assert rig.endpoint.dialogs == 1


def test_the_allow_list_needs_no_password(guarded_rig: Rig) -> None:
    assert brief(guarded_rig.receive(guarded_rig.request())) == ["100"]


def test_a_flood_of_strangers_is_not_answered_with_a_flood(guarded_rig: Rig) -> None:
    for rig, status in ((guarded_rig, "401"), (type(guarded_rig)(), "403")):
        answers: list[Message] = []
        for number in range(5 * STRANGERS_PER_S):
            answers += rig.receive(rig.request(call=f"c{number}"), STRANGER)
        assert brief(answers) == [status] * STRANGERS_PER_S
        assert rig.endpoint.counters["unanswered_strangers"] == 4 * STRANGERS_PER_S
        assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
        rig.now = 0.5
        assert brief(rig.receive(rig.request(call="later"), STRANGER)) == [status]


def test_the_bucket_fills_with_time_and_no_further() -> None:
    bucket = Bucket(2)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(99.0) for _ in range(3)] == [True, True, False]
