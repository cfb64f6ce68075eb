"""A call that we begin: every answer that real peers have given, and no end that leaves a thing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from voicegate.sip.digest import Credentials
from voicegate.sip.events import (
    CallAnswered,
    CallFailed,
    CallHungUp,
    CallLost,
    CallRinging,
    DialogReleased,
    OfferReceived,
)
from voicegate.sip.login import Login
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

CONTACT = "Contact: <sip:200@127.0.0.1:5061>"
CHALLENGE = 'WWW-Authenticate: Digest realm="gate", nonce="n1", qop="auth"'


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def at(seen: list[tuple[float, Message]], what: str) -> list[float]:
    return [when for when, message in seen if brief([message]) == [what]]


def nothing_is_left(rig: Rig) -> None:
    rig.run(rig.now + 70.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
    assert rig.endpoint.get_timer() is None


def test_an_invite_says_who_calls_whom_and_what_we_can(rig: Rig) -> None:
    name, invite = rig.dialled()
    assert invite.uri == "sip:200@127.0.0.1:5061"
    assert (invite.to.tag, invite.from_.tag) == ("", name.local_tag)
    assert invite.header("Contact") == "<sip:127.0.0.1:5060>"
    assert "UPDATE" in (invite.header("Allow") or "")
    assert invite.header("Session-Expires") == "1800"
    assert invite.body == rig.sdp


def test_it_rings_is_answered_and_acknowledged(rig: Rig) -> None:
    name, invite = rig.dialled()
    assert rig.receive(rig.reply(invite, 100)) == []
    rig.receive(rig.reply(invite, 180, tag="peer"))
    rig.receive(rig.reply(invite, 183, tag="peer", body=b"early"))
    assert rig.events() == [CallRinging(name, 180, b""), CallRinging(name, 183, b"early")]
    (ack,) = rig.receive(rig.reply(invite, 200, tag="peer", body=b"sdp", extra=[CONTACT]))
    assert isinstance(ack, Request)
    assert (ack.method, ack.cseq.number, ack.to.tag) == ("ACK", invite.cseq.number, "peer")
    assert ack.via.branch != invite.via.branch
    assert rig.events() == [CallAnswered(name, b"sdp")]
    assert rig.run(31.0) == []


def test_the_ack_is_sent_again_for_each_2xx_that_comes_again(rig: Rig) -> None:
    _, invite = rig.dialled()
    answer = rig.reply(invite, 200, tag="peer", extra=[CONTACT])
    first = rig.receive(answer)
    rig.run(4.0)
    assert rig.receive(answer) == first
    assert brief(first) == ["ACK"]
    assert len(rig.events()) == 1


def test_the_peer_hangs_up(rig: Rig) -> None:
    name, inside = rig.connected()
    assert brief(rig.receive(rig.within(inside, "BYE"))) == ["200"]
    assert rig.events() == [CallHungUp(name)]
    nothing_is_left(rig)


def test_we_hang_up_with_the_next_number_and_the_routes_backwards(rig: Rig) -> None:
    name, _ = rig.connected("Record-Route: <sip:127.0.0.1:9;lr>, <sip:127.0.0.1:8;lr>")
    assert rig.endpoint.hang_up(name, 0.0)
    ((bye, where),) = rig.addressed()
    assert isinstance(bye, Request)
    assert bye.header_lines("Route") == ["<sip:127.0.0.1:8;lr>", "<sip:127.0.0.1:9;lr>"]
    assert (where.port, bye.to.tag) == (8, "peer")
    rig.receive(rig.reply(bye, 200))
    nothing_is_left(rig)


@pytest.mark.parametrize("status", [302, 403, 404, 480, 486, 488, 500, 503, 603])
def test_a_refusal_is_acknowledged_told_and_released(rig: Rig, status: int) -> None:
    name, invite = rig.dialled()
    refusal = rig.reply(invite, status, tag="peer")
    (ack,) = rig.receive(refusal)
    assert isinstance(ack, Request)
    assert (ack.method, ack.via.branch) == ("ACK", invite.via.branch)
    assert rig.receive(refusal) == [ack]
    assert rig.events() == [CallFailed(name, status, "Whatever")]
    rig.run(70.0)
    assert rig.events() == [DialogReleased(name)]
    nothing_is_left(rig)


def test_nobody_answers_at_all(rig: Rig) -> None:
    name, _ = rig.dialled()
    assert at(rig.run(33.0), "INVITE") == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert rig.events() == [CallFailed(name, 503, "No Response")]
    nothing_is_left(rig)


def test_what_rings_is_cancelled(rig: Rig) -> None:
    name, invite = rig.dialled()
    rig.receive(rig.reply(invite, 180, tag="peer"))
    assert not rig.endpoint.hang_up(name, 0.0)
    cancel = rig.our("CANCEL")
    assert (cancel.uri, cancel.via, cancel.cseq.number, cancel.to.tag) == (
        invite.uri,
        invite.via,
        invite.cseq.number,
        "",
    )
    rig.receive(rig.reply(cancel, 200))
    assert brief(rig.receive(rig.reply(invite, 487, tag="peer"))) == ["ACK"]
    assert rig.events()[-1] == CallFailed(name, 487, "Whatever")
    nothing_is_left(rig)


def test_no_cancel_before_a_provisional_response(rig: Rig) -> None:
    name, invite = rig.dialled()
    rig.endpoint.hang_up(name, 0.0)
    assert rig.sent() == []
    assert brief(rig.receive(rig.reply(invite, 100))) == ["CANCEL"]
    assert rig.receive(rig.reply(invite, 180, tag="peer")) == []


def test_a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended(rig: Rig) -> None:
    name, invite = rig.dialled()
    rig.receive(rig.reply(invite, 180, tag="peer"))
    rig.endpoint.hang_up(name, 0.0)
    rig.receive(rig.reply(rig.our("CANCEL"), 200))
    rig.events()
    answer = rig.reply(invite, 200, tag="peer", extra=[CONTACT])
    ack, bye = rig.receive(answer)
    assert brief([ack, bye]) == ["ACK", "BYE"]
    assert rig.events() == [CallFailed(name, 487, "Given Up")]
    assert rig.receive(answer) == [ack]
    rig.receive(rig.reply(bye, 200))
    nothing_is_left(rig)


def test_a_cancel_that_is_never_answered_ends_after_32_s(rig: Rig) -> None:
    name, invite = rig.dialled()
    rig.receive(rig.reply(invite, 180, tag="peer"))
    rig.endpoint.hang_up(name, 0.0)
    rig.run(31.9)
    assert rig.endpoint.unsettled
    rig.events()
    rig.run(32.0)
    assert rig.events() == [CallFailed(name, 408, "No Answer")]
    nothing_is_left(rig)


def test_of_two_forks_the_first_wins_and_the_other_is_ended(rig: Rig) -> None:
    name, invite = rig.dialled()
    rig.receive(rig.reply(invite, 200, tag="peer", body=b"one", extra=[CONTACT]))
    other = rig.reply(invite, 200, tag="other", body=b"two", extra=[CONTACT])
    ack, bye = rig.receive(other)
    assert isinstance(bye, Request)
    assert (brief([ack, bye]), ack.to.tag, bye.to.tag) == (["ACK", "BYE"], "other", "other")
    assert rig.receive(other) == [ack]
    assert rig.events() == [CallAnswered(name, b"one")]
    assert rig.endpoint.counters["forks"] == 1
    rig.receive(rig.reply(bye, 200))
    # the loser's own requests are none of this call's
    loser = name._replace(remote_tag="other")
    stray = rig.request("BYE", call=name.call_id, to_tag=loser.local_tag, from_tag="other")
    assert brief(rig.receive(stray)) == ["481"]
    assert rig.endpoint.is_up(name)


def test_a_challenge_is_answered_once(rig: Rig) -> None:
    login = Login(Credentials("gw", "secret"), random.Random(1))
    name, invite = rig.dialled(login)
    ack, again = rig.receive(rig.reply(invite, 401, tag="x", extra=[CHALLENGE]))
    assert isinstance(again, Request)
    assert brief([ack, again]) == ["ACK", "INVITE"]
    assert (again.call_id, again.from_.tag) == (invite.call_id, invite.from_.tag)
    assert again.cseq.number == invite.cseq.number + 1
    assert again.via.branch != invite.via.branch
    assert 'username="gw"' in (again.header("Authorization") or "")
    (ack,) = rig.receive(rig.reply(again, 200, tag="peer", extra=[CONTACT]))
    assert ack.header("Authorization") == again.header("Authorization")
    assert rig.events() == [CallAnswered(name, b"")]


def test_a_wrong_password_is_a_refusal(rig: Rig) -> None:
    name, invite = rig.dialled(Login(Credentials("gw", "wrong"), random.Random(1)))
    _, again = rig.receive(rig.reply(invite, 401, tag="x", extra=[CHALLENGE]))
    assert brief(rig.receive(rig.reply(again, 401, tag="x", extra=[CHALLENGE]))) == ["ACK"]
    assert rig.events() == [CallFailed(name, 401, "Whatever")]
    nothing_is_left(rig)


def test_challenges_without_end_are_a_refusal(rig: Rig) -> None:
    name, invite = rig.dialled(Login(Credentials("gw", "x"), random.Random(1)))
    for number in range(9):
        stale = f'WWW-Authenticate: Digest realm="gate", nonce="n{number}", stale=true'
        sent = rig.receive(rig.reply(invite, 401, tag="x", extra=[stale]))
        if brief(sent) == ["ACK"]:
            break
        assert isinstance(sent[1], Request)
        invite = sent[1]
    assert number == 4
    assert rig.events() == [CallFailed(name, 401, "Whatever")]


def test_a_session_too_short_for_the_peer_is_asked_for_longer(rig: Rig) -> None:
    _, invite = rig.dialled()
    _, again = rig.receive(rig.reply(invite, 422, tag="x", extra=["Min-SE: 3600"]))
    assert again.header("Session-Expires") == "3600"
    assert again.header("Min-SE") == "3600"
    assert brief(rig.receive(rig.reply(again, 422, tag="x", extra=["Min-SE: 3600"]))) == ["ACK"]


def test_requests_inside_our_call_go_by_both_tags(rig: Rig) -> None:
    name, inside = rig.connected()
    wrong = rig.request("BYE", call=name.call_id, to_tag=name.local_tag, from_tag="else")
    assert brief(rig.receive(wrong)) == ["481"]
    rig.receive(rig.within(inside, "INVITE", body=b"hold"))
    assert rig.events() == [OfferReceived(name, b"hold")]


def test_the_session_timer_of_our_call(rig: Rig) -> None:
    name, _ = rig.connected("Session-Expires: 90;refresher=uas", "Require: timer")
    assert at(rig.run(61.0), "BYE")[0] == 60.0
    assert rig.events() == [CallLost(name)]
