"""RFC 3261 13.3.1.4: a 2xx is resent until its ACK, and given up by a timer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegate.sip.events import AckMissing, CallConfirmed

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

DUE = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_trap_3_the_200_is_resent_until_31_5_s_and_given_up_at_32_0(rig: Rig) -> None:
    dialog = rig.offered()
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    seen = rig.run(31.999)
    assert [at for at, _ in seen] == DUE
    assert all(message.header("CSeq") == "1 INVITE" for _, message in seen)
    assert all(message.body == rig.sdp for _, message in seen)
    assert rig.events() == []
    ((at, bye),) = rig.run(32.0)
    assert (at, bye.cseq.method) == (32.0, "BYE")
    assert rig.events() == [AckMissing(dialog)]
    assert rig.endpoint.counters["acks_missing"] == 1


def test_the_ack_stops_the_resends(rig: Rig) -> None:
    dialog = rig.offered()
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    rig.run(4.0)
    assert rig.endpoint.unsettled == 1
    assert rig.receive(rig.ack(dialog)) == []
    assert rig.events() == [CallConfirmed(dialog)]
    assert rig.endpoint.unsettled == 0
    assert rig.receive(rig.ack(dialog)) == []
    assert rig.run(100.0) == []
    assert rig.events() == []


def test_the_ack_of_a_later_invite_counts_and_of_an_earlier_one_does_not(rig: Rig) -> None:
    dialog = rig.answered(cseq=5)
    rig.receive(rig.ack(dialog, cseq=4))
    assert rig.events() == []
    rig.receive(rig.ack(dialog, cseq=6))
    assert rig.events() == [CallConfirmed(dialog)]


def test_a_late_clock_resends_once_and_goes_on_from_there(rig: Rig) -> None:
    rig.answered()
    rig.now = 10.0
    rig.endpoint.handle_timer(10.0)
    assert len(rig.sent()) == 1
    assert rig.endpoint.get_timer() == 11.0
