"""Requests of ours inside a dialog (RFC 3261 12.2.1.1): the BYE a gate takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.address import Address, Flow
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import DialogId
from voicegate.sip.message import Received, Request, Response, parse

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig


SOURCE = Address("127.0.0.9", 5099)


def dialog_of(
    rig: Rig,
    *extra: str,
    contact: str = "<sip:100@127.0.0.1:5061>",
    source: Address = SOURCE,
    local: Address | None = None,
    **fields: str,
) -> Dialog:
    data = rig.request(extra=extra, **fields)  # type: ignore[arg-type]
    data = data.replace(b"Contact: <sip:100@127.0.0.1:5061>", f"Contact: {contact}".encode())
    message = parse(data)
    assert isinstance(message, Request)
    return Dialog.of_invite(Received(message, source, local or rig.local), "ours", 41)


def bye(dialog: Dialog) -> Request:
    return dialog.request("BYE", branch="z9hG4bKb", product="p")


def test_trap_2_from_and_to_go_by_role(rig: Rig) -> None:
    request = bye(dialog_of(rig))
    assert request.header("From") == "<sip:1000@127.0.0.1:5060>;tag=ours"
    assert request.header("To") == '"Alice" <sip:100@127.0.0.1:5061>;tag=peer'
    assert request.call_id == "call-1"
    assert request.uri == "sip:100@127.0.0.1:5061"
    assert request.header("Via") == "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKb;rport"
    assert request.header("Max-Forwards") == "70"
    assert request.header_lines("Route") == []


def test_trap_1_a_dialog_is_call_id_and_both_tags(rig: Rig) -> None:
    assert dialog_of(rig).id == DialogId("call-1", "ours", "peer")
    assert dialog_of(rig, from_tag="").id == DialogId("call-1", "ours", "")


def test_trap_2_cseq_grows_with_each_request(rig: Rig) -> None:
    dialog = dialog_of(rig)
    assert [str(bye(dialog).cseq) for _ in range(3)] == ["42 BYE", "43 BYE", "44 BYE"]


def test_trap_2_loose_routes_are_kept_in_the_order_of_record_route(rig: Rig) -> None:
    dialog = dialog_of(
        rig, "Record-Route: <sip:127.0.0.2:5070;lr>, <sip:p2;lr>", "Record-Route: <sip:p3;lr>"
    )
    request = bye(dialog)
    assert request.uri == "sip:100@127.0.0.1:5061"
    assert request.header_lines("Route") == [
        "<sip:127.0.0.2:5070;lr>",
        "<sip:p2;lr>",
        "<sip:p3;lr>",
    ]
    assert dialog.next_hop(lambda _host: True, rig.local_towards).peer == Address("127.0.0.2", 5070)


def test_a_strict_router_gets_its_own_uri_and_the_target_last(rig: Rig) -> None:
    dialog = dialog_of(rig, "Record-Route: <sip:127.0.0.2:5070>, <sip:p2;lr>")
    request = bye(dialog)
    assert request.uri == "sip:127.0.0.2:5070"
    assert request.header_lines("Route") == ["<sip:p2;lr>", "<sip:100@127.0.0.1:5061>"]
    assert dialog.next_hop(lambda _host: True, rig.local_towards).peer == Address("127.0.0.2", 5070)


@pytest.mark.parametrize(
    ("contact", "allowed", "where"),
    [
        ("<sip:100@127.0.0.1:5061>", True, Address("127.0.0.1", 5061)),
        ("<sip:100@127.0.0.1>", True, Address("127.0.0.1", 5060)),
        ("<sip:100@127.0.0.9:6000>", False, Address("127.0.0.9", 6000)),
        ("<sip:100@192.0.2.1>", False, Address("127.0.0.9", 5099)),
        ("<sip:100@224.0.0.1>", True, Address("127.0.0.9", 5099)),
        ("<sip:100@0.0.0.0>", True, Address("127.0.0.9", 5099)),
        ("<sip:100@gate.example>", True, Address("127.0.0.9", 5099)),
        ("<mailto:a@b>", True, Address("127.0.0.9", 5099)),
        ("broken", True, Address("127.0.0.9", 5099)),
    ],
)
def test_packets_go_to_addresses_we_may_send_to_or_back_to_the_source(
    rig: Rig, contact: str, allowed: bool, where: Address
) -> None:
    dialog = dialog_of(rig, contact=contact)
    assert dialog.next_hop(lambda _host: allowed, rig.local_towards) == Flow(rig.local, where)


@pytest.mark.parametrize(
    ("contact", "served", "where"),
    [
        # to where we were called, by the connection that is open; else to where they listen
        ("<sip:100@127.0.0.9:6000;transport=tcp>", "tcp", ("tcp", 40001, 6000)),
        ("<sip:100@127.0.0.9>", "tcp", ("tcp", 40001, 5060)),
        ("<sip:100@127.0.0.2;transport=TCP>", "tcp", ("tcp", 5060, None)),
        ("<sip:100@127.0.0.9:6000;transport=udp>", "udp", ("udp", 6000, None)),
        ("<sips:100@127.0.0.9>", "tls", ("tls", 5061, None)),
        ("<sips:100@127.0.0.9>", "tcp", ("tcp", 40001, None)),
        ("<sip:100@127.0.0.9;transport=sctp>", "tcp", ("tcp", 40001, None)),
        ("<sip:100@10.0.0.1;transport=tcp>", "tcp", ("tcp", 40001, None)),
    ],
)
def test_a_dialog_over_a_connection_stays_on_it(
    rig: Rig, contact: str, served: str, where: tuple[str, int, int | None]
) -> None:
    rig.transports = ["tcp", served]
    source, local = Address("127.0.0.9", 40001, "tcp"), rig.local._replace(transport="tcp")
    dialog = dialog_of(rig, contact=contact, source=source, local=local)
    flow = dialog.next_hop(lambda host: host.startswith("127."), rig.local_towards)
    assert flow.local == rig.local._replace(transport=flow.peer.transport)
    fallback = flow.fallback.port if flow.fallback else None
    assert (flow.peer.transport, flow.peer.port, fallback) == where


def test_over_a_connection_we_say_how_we_are_reached(rig: Rig) -> None:
    tcp = rig.local._replace(transport="tcp")
    dialog = dialog_of(rig, source=Address("127.0.0.9", 40001, "tcp"), local=tcp, contact="*")
    assert dialog.contact == ("Contact", "<sip:127.0.0.1:5060;transport=tcp>")
    assert bye(dialog).uri == "sip:127.0.0.9:40001;transport=tcp"


def test_a_contact_without_use_leaves_the_source_as_target(rig: Rig) -> None:
    assert bye(dialog_of(rig, contact="*")).uri == "sip:127.0.0.9:5099"


def test_the_target_is_refreshed_without_the_headers_of_its_uri(rig: Rig) -> None:
    dialog = dialog_of(rig)
    message = parse(
        rig.request(extra=["Contact: <sip:x@y>"]).replace(
            b"Contact: <sip:100@127.0.0.1:5061>",
            b"Contact: <sip:7@127.0.0.1:7;ob?Route=evil>, <sip:z>",
        )
    )
    assert isinstance(message, Request)
    dialog.refresh_target(message)
    assert bye(dialog).uri == "sip:7@127.0.0.1:7;ob"


def answer(*extra: str, tag: str = "theirs") -> Response:
    lines = ("SIP/2.0 200 OK", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKi")
    more = (
        "From: <sip:gw@127.0.0.1>;tag=ours",
        f"To: <sip:200@127.0.0.1:5061>;tag={tag}",
        "Call-ID: c",
        "CSeq: 7 INVITE",
        *extra,
    )
    message = parse("\r\n".join((*lines, *more, "", "")).encode())
    assert isinstance(message, Response)
    return message


def begun(*extra: str) -> tuple[Request, Dialog]:
    headers = (
        ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKi"),
        ("From", "<sip:gw@127.0.0.1>;tag=ours"),
        ("To", "<sip:200@127.0.0.1:5061>"),
        ("Call-ID", "c"),
        ("CSeq", "7 INVITE"),
        ("Proxy-Authorization", "Digest x"),
    )
    invite = Request("INVITE", "sip:200@127.0.0.1:5061", headers)
    local, destination = Address("127.0.0.1", 5060), Address("127.0.0.1", 5061)
    return invite, Dialog.of_answer(invite, answer(*extra), local, destination)


def test_trap_2_a_dialog_we_began_reads_the_route_set_backwards(rig: Rig) -> None:
    _, dialog = begun("Record-Route: <sip:p1;lr>, <sip:p2;lr>", "Contact: <sip:200@127.0.0.1:5099>")
    request = bye(dialog)
    assert dialog.id == DialogId("c", "ours", "theirs")
    assert request.header("From") == "<sip:gw@127.0.0.1>;tag=ours"
    assert request.header("To") == "<sip:200@127.0.0.1:5061>;tag=theirs"
    assert request.header_lines("Route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert (request.uri, str(request.cseq)) == ("sip:200@127.0.0.1:5099", "8 BYE")


def test_the_ack_of_a_2xx_has_the_number_and_the_credentials_of_its_invite() -> None:
    invite, dialog = begun("Contact: <sip:200@127.0.0.1:5099>")
    ack = dialog.ack(invite, branch="z9hG4bKa", product="p", body=b"sdp")
    assert (ack.uri, str(ack.cseq), ack.body) == ("sip:200@127.0.0.1:5099", "7 ACK", b"sdp")
    assert ack.header("Proxy-Authorization") == "Digest x"
    assert str(bye(dialog).cseq) == "8 BYE"
