"""What every response copies from its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.headers import Address
from voicegate.sip.message import Received, Request, Response, parse, serialise
from voicegate.sip.reply import capabilities, reason_of, respond_to

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

EXTRA = (
    "Via: SIP/2.0/TCP b.example;branch=z9hG4bKb, SIP/2.0/SCTP c.example",
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>",
    "Record-Route: <sip:p3;lr>",
    "Timestamp: 54.2",
)


def answer(rig: Rig, status: int, tag: str = "ours", **fields: object) -> Response:
    message = parse(rig.request(extra=EXTRA, **fields))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    got = Received(message, Address("127.0.0.2", 7), rig.local)
    return respond_to(got, status, tag=tag, server="s")


def test_the_way_back_is_copied_in_its_order_and_stamped_on_top(rig: Rig) -> None:
    vias = answer(rig, 200, branch="z9hG4bKa").header_lines("Via")
    assert vias == [
        "SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKa;received=127.0.0.2",
        "SIP/2.0/TCP b.example;branch=z9hG4bKb",
        "SIP/2.0/SCTP c.example",
    ]


@pytest.mark.parametrize(
    ("status", "copied"), [(100, False), (180, True), (200, True), (486, False)]
)
def test_record_route_goes_into_what_makes_a_dialog(rig: Rig, status: int, copied: bool) -> None:
    routes = answer(rig, status).header_lines("Record-Route")
    assert routes == (["<sip:p1;lr>, <sip:p2;lr>", "<sip:p3;lr>"] if copied else [])


def test_timestamp_goes_into_100_only(rig: Rig) -> None:
    assert answer(rig, 100).header("Timestamp") == "54.2"
    assert answer(rig, 200).header("Timestamp") is None


def test_the_tag_is_added_where_there_is_none(rig: Rig) -> None:
    assert answer(rig, 200).to.tag == "ours"
    assert answer(rig, 200, to_tag="theirs").to.tag == "theirs"
    assert answer(rig, 100, tag="").to.tag == ""
    assert answer(rig, 200).header("From") == '"Alice" <sip:100@127.0.0.1:5061>;tag=peer'


def test_a_to_that_cannot_be_read_is_copied_as_it_is(rig: Rig) -> None:
    broken = Request("INVITE", "sip:a", (("Via", "SIP/2.0/UDP h"), ("To", '"open <sip:a>')))
    got = Received(broken, rig.peer, rig.local)
    response = respond_to(got, 400, tag="t", server="s", reason="Because")
    assert response.header("To") == '"open <sip:a>'
    assert serialise(response).startswith(b"SIP/2.0 400 Because\r\n")
    assert response.header("Call-ID") is None


def test_options_tell_all_that_rfc_3261_11_2_asks_for(rig: Rig) -> None:
    message = parse(rig.request("OPTIONS"))
    assert isinstance(message, Request)
    told = dict(capabilities(Received(message, rig.peer, rig.local)))
    assert told["Contact"] == "<sip:127.0.0.1:5060>"
    assert told["Allow"] == ("INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY")
    assert {"Accept", "Accept-Encoding", "Accept-Language", "Supported"} <= told.keys()


def test_reason_phrases() -> None:
    assert reason_of(486) == "Busy Here"
    assert reason_of(499) == "Bad Request"
    assert reason_of(699) == "Busy Everywhere"
