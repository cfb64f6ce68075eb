"""RFC 4028, both roles: who refreshes, when, and what happens when nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.events import CallLost
from voicegate.sip.message import Request, Response
from voicegate.sip.session_timer import SessionExpires, session_expires

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

KNOWS = "Supported: replaces, timer"


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


def at(seen: list[tuple[float, Message]], what: str) -> list[float]:
    return [when for when, message in seen if brief([message]) == [what]]


def answered(rig: Rig, *extra: str) -> Message:
    """Our 200 to such an INVITE."""
    dialog = rig.offered(extra=extra)
    rig.endpoint.answer(dialog, rig.sdp, 0.0)
    (answer,) = rig.sent()
    rig.receive(rig.ack(dialog))
    rig.events()
    return answer


@pytest.mark.parametrize(
    ("value", "due"),
    [
        ("1800;refresher=uac", SessionExpires(1800, "uac")),
        (" 90 ; refresher=UAS ", SessionExpires(90, "uas")),
        ("600", SessionExpires(600)),
        ("600;refresher=you", SessionExpires(600)),
        ("soon", None),
        ("", None),
        ("9" * 40, None),
    ],
)
def test_the_header_is_read(value: str, due: SessionExpires | None) -> None:
    assert session_expires(Response(200, "OK", (("Session-Expires", value),))) == due


@pytest.mark.parametrize(
    ("extra", "header", "required"),
    [
        ((KNOWS, "Session-Expires: 600;refresher=uac"), "600;refresher=uac", "timer"),
        ((KNOWS, "Session-Expires: 600;refresher=uas"), "600;refresher=uas", None),
        ((KNOWS, "Session-Expires: 600"), "600;refresher=uac", "timer"),
        (("Session-Expires: 600",), "600;refresher=uas", None),
        (("Session-Expires: 600;refresher=uac",), "600;refresher=uac", "timer"),
        ((KNOWS,), None, None),
    ],
)
def test_who_refreshes_is_settled_by_the_200(
    rig: Rig, extra: tuple[str, ...], header: str | None, required: str | None
) -> None:
    answer = answered(rig, *extra)
    assert answer.header("Session-Expires") == header
    assert answer.header("Require") == required


def test_a_peer_that_refreshes_no_more_is_hung_up_on_in_time(rig: Rig) -> None:
    answered(rig, KNOWS, "Session-Expires: 180;refresher=uac")
    assert at(rig.run(150.0), "BYE")[:1] == [180 - 32.0]
    assert [type(event) for event in rig.events()] == [CallLost]


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_refresh_of_the_peer_begins_the_time_anew(rig: Rig, method: str) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uac"])
    rig.run(100.0)
    extra = (KNOWS, "Session-Expires: 180;refresher=uac")
    rig.receive(rig.within(dialog, method, extra=extra))
    rig.endpoint.answer_offer(dialog, rig.sdp, rig.now)
    rig.receive(rig.ack(dialog, cseq=2))
    assert rig.endpoint.is_up(dialog)
    assert at(rig.run(280.0), "BYE")[:1] == [280 - 32.0]


@pytest.mark.parametrize(
    ("allow", "method", "body"),
    [("Allow: INVITE, ACK, UPDATE", "UPDATE", b""), ("Allow: INVITE, ACK", "INVITE", None)],
)
def test_we_refresh_at_half_the_time(rig: Rig, allow: str, method: str, body: bytes | None) -> None:
    dialog = rig.confirmed(extra=[KNOWS, allow, "Session-Expires: 180;refresher=uas"])
    seen = rig.run(90.0)
    assert at(seen, method) == [90.0]
    refresh = seen[-1][1]
    assert refresh.header("Session-Expires") == "180;refresher=uac"
    assert refresh.body == (rig.sdp if body is None else body)
    again = ("Session-Expires: 180;refresher=uac",)
    acks = rig.receive(rig.reply(refresh, 200, body=refresh.body, extra=again))
    assert brief(acks) == (["ACK"] if method == "INVITE" else [])
    assert at(rig.run(180.0), method) == [180.0]
    assert rig.endpoint.is_up(dialog)


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_knows_the_call_no_more_ends_it(rig: Rig, status: int) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uas"])
    refresh = rig.run(90.0)[-1][1]
    assert brief(rig.receive(rig.reply(refresh, status))) == ["ACK", "BYE"]
    assert rig.events() == [CallLost(dialog)]


def test_a_refresh_that_nobody_answers_ends_the_call(rig: Rig) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uas"])
    assert at(rig.run(125.0), "BYE")[:1] == [122.0]
    assert rig.events() == [CallLost(dialog)]


def test_a_refused_refresh_leaves_the_call_up_until_its_time(rig: Rig) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uas"])
    refresh = rig.run(90.0)[-1][1]
    rig.receive(rig.reply(refresh, 500))
    assert rig.endpoint.is_up(dialog)
    assert at(rig.run(150.0), "BYE")[:1] == [148.0]


def test_update_is_tried_no_more_where_it_is_unknown(rig: Rig) -> None:
    rig.confirmed(extra=[KNOWS, "Allow: UPDATE", "Session-Expires: 180;refresher=uas"])
    refresh = rig.run(90.0)[-1][1]
    assert brief(rig.receive(rig.reply(refresh, 405))) == ["INVITE"]


def test_glare_is_tried_again_a_little_later(rig: Rig) -> None:
    rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uas"])
    refresh = rig.run(90.0)[-1][1]
    rig.receive(rig.reply(refresh, 491))
    again_at = at(rig.run(93.0), "INVITE")[0]
    # RFC 3261 14.1: the peer made the Call-ID, so we wait up to 2 s
    assert 90.0 <= again_at <= 92.0


def test_an_interval_too_short_is_422_and_no_call(rig: Rig) -> None:
    invite = rig.request(body=rig.sdp, extra=[KNOWS, "Session-Expires: 30"])
    trying, refusal = rig.receive(invite)
    assert brief([trying, refusal]) == ["100", "422"]
    assert refusal.header("Min-SE") == "90"
    assert rig.events() == []
    rig.run(100.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)


def test_an_update_too_short_is_422_and_the_call_goes_on(rig: Rig) -> None:
    dialog = rig.confirmed()
    update = rig.within(dialog, "UPDATE", extra=[KNOWS, "Session-Expires: 30"])
    assert brief(rig.receive(update)) == ["422"]
    assert rig.endpoint.is_up(dialog)


def test_an_offer_without_the_header_ends_the_clock(rig: Rig) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uac"])
    rig.receive(rig.within(dialog, "INVITE", body=b"hold"))
    rig.endpoint.answer_offer(dialog, b"held", 0.0)
    rig.receive(rig.ack(dialog, cseq=2))
    assert at(rig.run(500.0), "BYE") == []


def test_no_clock_runs_on_behind_the_end(rig: Rig) -> None:
    dialog = rig.confirmed(extra=[KNOWS, "Session-Expires: 180;refresher=uas"])
    refresh = rig.run(90.0)[-1][1]
    rig.receive(rig.within(dialog, "BYE"))
    late = rig.reply(refresh, 200, extra=["Session-Expires: 180;refresher=uac"])
    assert brief(rig.receive(late)) == ["ACK"]
    rig.run(200.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
    assert rig.endpoint.get_timer() is None
