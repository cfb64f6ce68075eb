"""One call from INVITE to its end: every order of messages that real peers have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.events import (
    AckMissing,
    CallCancelled,
    CallConfirmed,
    CallHungUp,
    DialogReleased,
    InfoReceived,
)
from voicegate.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def at(seen: list[tuple[float, Message]], what: str) -> list[float]:
    return [when for when, message in seen if brief([message]) == [what]]


# Before the answer


def test_ringing_and_answer_carry_one_tag_and_our_contact(rig: Rig) -> None:
    dialog = rig.offered()
    rig.endpoint.ring(dialog, 0.0)
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    ringing, answer = rig.sent()
    assert brief([ringing, answer]) == ["180", "200"]
    for message in (ringing, answer):
        assert message.to.tag == dialog.local_tag
        assert message.header("Contact") == "<sip:127.0.0.1:5060>"
    assert answer.header("Allow")
    assert answer.header("Supported") == "timer"
    assert answer.header("Content-Type") == "application/sdp"


def test_trap_3_a_repeated_invite_is_the_same_call_and_gets_the_last_response(rig: Rig) -> None:
    invite = rig.request(body=rig.sdp)
    assert brief(rig.receive(invite)) == ["100"]
    assert brief(rig.receive(invite)) == ["100"]
    dialog = rig.events()[0].dialog
    rig.endpoint.ring(dialog, 0.0)
    ringing = rig.sent()
    assert rig.receive(invite) == ringing
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    answer = rig.sent()
    assert rig.receive(invite) == answer
    assert rig.events() == []
    assert rig.endpoint.dialogs == 1


def test_a_refusal_is_resent_until_its_ack(rig: Rig) -> None:
    dialog = rig.offered()
    rig.endpoint.reject(dialog, 503, 0.0, retry_after_s=5)
    (refusal,) = rig.sent()
    assert (refusal.header("Retry-After"), refusal.to.tag) == ("5", dialog.local_tag)
    assert at(rig.run(4.0), "503") == [0.5, 1.5, 3.5]
    rig.receive(rig.ack(dialog, branch="z9hG4bK-call-1-1-INVITE"))
    assert rig.run(31.0) == []
    assert rig.endpoint.transactions == 0


def test_the_ack_of_a_refusal_may_have_a_branch_of_its_own(rig: Rig) -> None:
    dialog = rig.offered()
    rig.endpoint.reject(dialog, 486, 0.0)
    rig.sent()
    rig.receive(rig.ack(dialog))
    assert rig.run(31.0) == []


def test_commands_that_come_too_late_do_nothing(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.endpoint.ring(dialog, 0.0)
    rig.endpoint.answer(dialog, b"x", 0.0)
    rig.endpoint.reject(dialog, 486, 0.0)
    assert rig.sent() == []
    assert rig.endpoint.is_up(dialog)
    early = rig.offered("other")
    assert not rig.endpoint.hang_up(early, 0.0)
    rig.endpoint.answer_offer(early, b"x", 0.0)
    assert rig.sent() == []


def test_abort_before_and_after_the_answer(rig: Rig) -> None:
    early, late = rig.offered("early"), rig.confirmed("late")
    rig.endpoint.abort(early, 0.0)
    rig.endpoint.abort(late, 0.0)
    assert brief(rig.sent()) == ["500", "BYE"]
    rig.endpoint.abort(early, 0.0)
    rig.endpoint.abort(late, 0.0)
    assert rig.sent() == []


# CANCEL


def test_trap_4_the_487_to_a_cancelled_invite_is_resent_until_its_ack(rig: Rig) -> None:
    dialog = rig.offered()
    cancel = rig.request("CANCEL", branch="z9hG4bK-call-1-1-INVITE")
    accepted, terminated = rig.receive(cancel)
    assert (accepted.cseq.method, terminated.cseq.method) == ("CANCEL", "INVITE")
    assert brief([accepted, terminated]) == ["200", "487"]
    assert accepted.to.tag == terminated.to.tag == dialog.local_tag
    assert rig.events() == [CallCancelled(dialog)]
    assert brief(rig.receive(cancel)) == ["200"]
    assert at(rig.run(8.0), "487") == [0.5, 1.5, 3.5, 7.5]
    rig.receive(rig.ack(dialog, branch="z9hG4bK-call-1-1-INVITE"))
    rig.endpoint.answer(dialog, rig.sdp, 8.0)
    assert rig.run(31.9) == []
    assert rig.run(100.0) == []
    assert rig.events() == [DialogReleased(dialog)]
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)


def test_trap_4_cancel_crossing_the_200_changes_nothing(rig: Rig) -> None:
    dialog = rig.answered()
    answers = rig.receive(rig.request("CANCEL", branch="z9hG4bK-call-1-1-INVITE"))
    assert brief(answers) == ["200"]
    assert answers[0].cseq.method == "CANCEL"
    assert rig.events() == []
    rig.receive(rig.ack(dialog))
    assert rig.events() == [CallConfirmed(dialog)]


# BYE


def test_bye_of_the_peer(rig: Rig) -> None:
    dialog = rig.confirmed()
    bye = rig.within(dialog, "BYE")
    (answer,) = rig.receive(bye)
    assert brief([answer]) == ["200"]
    assert answer.to.tag == dialog.local_tag
    assert rig.events() == [CallHungUp(dialog)]
    assert not rig.endpoint.hang_up(dialog, 0.0)
    assert rig.sent() == []


def test_trap_4_a_repeated_bye_is_answered_200_for_32_s(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "BYE"))
    for now in (0.5, 16.0, 31.9):
        rig.run(now)
        assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["200"]
        assert brief(rig.receive(rig.within(dialog, "BYE", branch=f"z9hG4bK{now}"))) == ["200"]
    assert [event for event in rig.events() if isinstance(event, CallHungUp)] == [
        CallHungUp(dialog)
    ]
    rig.run(64.0)
    assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["481"]


def test_trap_4_byes_that_cross_end_one_call_once(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.endpoint.hang_up(dialog, 0.0)
    (ours,) = rig.sent()
    assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["200"]
    assert rig.events() == []
    rig.receive(rig.reply(ours, 481))
    assert rig.run(31.0) == []
    assert rig.endpoint.unsettled == 0


def test_trap_4_bye_before_the_ack(rig: Rig) -> None:
    dialog = rig.answered()
    assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["200"]
    assert rig.events() == [CallHungUp(dialog)]
    assert rig.run(31.0) == []
    rig.receive(rig.ack(dialog))
    assert rig.events() == []


def test_bye_before_the_answer_ends_the_invite_too(rig: Rig) -> None:
    dialog = rig.offered()
    assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["200", "487"]
    assert rig.events() == [CallHungUp(dialog)]


def test_trap_1_a_stale_bye_touches_no_other_call(rig: Rig) -> None:
    first = rig.confirmed("call-1")
    bye = rig.within(first, "BYE")
    rig.receive(bye)
    rig.events()
    second = rig.confirmed("call-2")
    assert brief(rig.receive(bye)) == ["200"]
    rig.run(100.0)
    rig.events()
    assert brief(rig.receive(bye)) == ["481"]
    for wrong in (
        rig.request("BYE", call="call-2", cseq=9, to_tag=first.local_tag),
        rig.request("BYE", call="call-2", cseq=9, to_tag=second.local_tag, from_tag="other"),
        rig.request("BYE", call="call-2", cseq=9),
    ):
        assert brief(rig.receive(wrong)) == ["481"]
    assert rig.events() == []
    assert rig.endpoint.is_up(second)


def test_our_bye_is_resent_until_answered(rig: Rig) -> None:
    dialog = rig.confirmed()
    assert rig.endpoint.hang_up(dialog, 0.0)
    assert not rig.endpoint.hang_up(dialog, 0.0)
    seen = rig.run(8.0)
    assert at(seen, "BYE") == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert len({str(bye.via) + str(bye.cseq) for _, bye in seen}) == 1
    bye = seen[0][1]
    assert bye.from_.tag == dialog.local_tag
    assert bye.to.tag == dialog.remote_tag
    assert rig.endpoint.unsettled == 1
    rig.receive(rig.reply(bye, 100))
    rig.receive(rig.reply(bye, 200))
    assert rig.endpoint.unsettled == 0
    assert rig.run(100.0) == []
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)


@pytest.mark.parametrize("status", [408, 481, 500])
def test_any_final_answer_to_our_bye_ends_it(rig: Rig, status: int) -> None:
    dialog = rig.confirmed()
    rig.endpoint.hang_up(dialog, 0.0)
    (bye,) = rig.sent()
    rig.receive(rig.reply(bye, status))
    assert rig.run(100.0) == []


def test_our_bye_is_given_up_after_32_s(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.endpoint.hang_up(dialog, 0.0)
    assert at(rig.run(100.0), "BYE")[-1] == 31.5
    assert rig.events() == [DialogReleased(dialog)]
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)


def test_our_bye_waits_for_the_ack(rig: Rig) -> None:
    dialog = rig.answered()
    assert rig.endpoint.hang_up(dialog, 0.0)
    assert not rig.endpoint.is_up(dialog)
    assert set(brief([message for _, message in rig.run(6.0)])) == {"200"}
    assert brief(rig.receive(rig.ack(dialog))) == ["BYE"]
    assert rig.events() == []


def test_our_bye_waits_no_longer_than_32_s(rig: Rig) -> None:
    dialog = rig.answered()
    rig.endpoint.hang_up(dialog, 0.0)
    assert at(rig.run(33.0), "BYE")[0] == 32.0
    assert rig.events() == [AckMissing(dialog)]


def test_the_peer_may_hang_up_while_our_bye_waits(rig: Rig) -> None:
    dialog = rig.answered()
    rig.endpoint.hang_up(dialog, 0.0)
    assert brief(rig.receive(rig.within(dialog, "BYE"))) == ["200"]
    assert rig.run(100.0) == []


def test_trap_2_our_bye_follows_the_record_route(rig: Rig) -> None:
    dialog = rig.confirmed(extra=["Record-Route: <sip:127.0.0.1:5070;lr>"])
    rig.endpoint.hang_up(dialog, 0.0)
    ((bye, where),) = rig.addressed()
    assert (bye.header("Route"), where.port) == ("<sip:127.0.0.1:5070;lr>", 5070)


# Other requests in the dialog


def test_info_is_answered_once_and_told_once(rig: Rig) -> None:
    dialog = rig.confirmed()
    info = rig.within(dialog, "INFO", body=b"Signal=5").replace(
        b"application/sdp", b"application/x"
    )
    assert brief(rig.receive(info)) == ["200"]
    assert brief(rig.receive(info)) == ["200"]
    assert rig.events() == [InfoReceived(dialog, "application/x", b"Signal=5")]


def test_options_in_the_dialog(rig: Rig) -> None:
    (answer,) = rig.receive(rig.within(rig.confirmed(), "OPTIONS"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.header("Accept")) == (200, "application/sdp")


def test_a_lower_cseq_is_500_and_changes_nothing(rig: Rig) -> None:
    dialog = rig.confirmed(cseq=10)
    for method in ("INFO", "INVITE", "BYE"):
        assert brief(rig.receive(rig.within(dialog, method, cseq=9))) == ["500"]
    assert rig.events() == []
    assert brief(rig.receive(rig.within(dialog, "INFO", cseq=20))) == ["200"]
    assert brief(rig.receive(rig.within(dialog, "BYE", cseq=19))) == ["500"]
    assert rig.endpoint.is_up(dialog)


def test_after_the_end_all_but_bye_is_481(rig: Rig) -> None:
    dialog = rig.confirmed()
    rig.receive(rig.within(dialog, "BYE"))
    for method in ("INVITE", "INFO", "OPTIONS"):
        assert brief(rig.receive(rig.within(dialog, method, cseq=3))) == ["481"]
