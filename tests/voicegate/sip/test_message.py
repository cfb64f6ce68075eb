"""Parsing is tolerant, serialising exact, and nothing but SipParseError comes out of parse()."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegate.sip.message import (
    MAX_HEADERS,
    Received,
    Request,
    Response,
    SipParseError,
    parse,
    serialise,
)

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

SLOPPY = (
    b"\r\n\r\nINVITE  sip:*31#100@127.0.0.1 SIP/2.0\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1,\n SIP/2.0/UDP 10.0.0.1\n"
    b"f : M\xfcller <sip:100@gate>;tag=1\n"
    b"t:\n\t<sip:*31#100@127.0.0.1>\n"
    b"I: c1\n"
    b"CSEQ : 1 INVITE\n"
    b"c: application/sdp\n"
    b"l:    4   \n"
    b"\n"
    b"v=0\nand what the gate padded it with"
)


def test_a_sloppy_invite_is_understood() -> None:
    message = parse(SLOPPY)
    assert isinstance(message, Request)
    assert message.uri == "sip:*31#100@127.0.0.1"
    assert message.hops() == ["SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1", "SIP/2.0/UDP 10.0.0.1"]
    assert message.call_id == "c1"
    assert message.cseq.number == 1
    assert message.from_.tag == "1"
    assert message.header("content-TYPE") == "application/sdp"
    assert message.body == b"v=0\n"


def test_bytes_of_any_code_come_back_as_they_came() -> None:
    sent = serialise(parse(SLOPPY))
    assert b"M\xfcller" in sent
    assert serialise(parse(sent)) == sent


def _flaw(data: bytes) -> SipParseError:
    with pytest.raises(SipParseError) as caught:
        parse(data)
    return caught.value


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_a_missing_header_is_a_400(rig: Rig, name: str) -> None:
    lines = rig.request().split(b"\r\n")
    error = _flaw(b"\r\n".join(line for line in lines if not line.startswith(name.encode())))
    assert (error.flaw, error.status) == (f"Missing {name}", 400)
    assert error.answerable is not None


@pytest.mark.parametrize(
    "line",
    [
        "Call-ID: b",
        "CSeq: 1 INVITE",
        "From: <sip:a@b>",
        "To: <sip:a@b>",
        "i: x",
        "Max-Forwards: 5",
        "Content-Length: 0",
    ],
)
def test_a_single_header_twice_is_a_400(rig: Rig, line: str) -> None:
    error = _flaw(rig.request(extra=[line]))
    assert error.flaw.startswith("More Than One")
    assert error.answerable is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Content-Length: 0", b"Content-Length: -999"),
        (b"Content-Length: 0", b"Content-Length: 9999"),
        (b"Content-Length: 0", b"Content-Length: 1e3"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 OPTIONS"),
        (b"CSeq: 1 INVITE", b"CSeq: 4294967296 INVITE"),
        (b"Max-Forwards: 70", b"no colon here"),
        (b"Max-Forwards: 70", b"bad name\t: 1"),
        (b'"Alice" <', b'"Alice <'),
        (b"sip:1000@127.0.0.1:5060 SIP", b"sip:1000@127.0.0.1; lr SIP"),
        (b"Max-Forwards: 70", b"Via: SIP/2.0/UDP h;;,;,,"),
    ],
)
def test_broken_requests_that_can_be_answered(rig: Rig, old: bytes, new: bytes) -> None:
    error = _flaw(rig.request().replace(old, new, 1))
    assert error.status == 400
    assert error.answerable is not None


@pytest.mark.parametrize("uri", ["sip:", "<sip:a@b>", "nothing", "sip:2001:db8::10", "sips:@b"])
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER", "BYE"])
def test_a_request_uri_that_cannot_be_read_is_a_400(rig: Rig, method: str, uri: str) -> None:
    error = _flaw(rig.request(method, uri=uri))
    assert (error.flaw, error.status) == ("Bad Request-URI", 400)
    assert error.answerable is not None


def test_an_ack_is_heard_whatever_its_request_uri(rig: Rig) -> None:
    assert isinstance(parse(rig.request("ACK", uri="sip:")), Request)


def test_another_version_is_a_505(rig: Rig) -> None:
    assert _flaw(rig.request().replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1)).status == 505


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"garbage",
        b"\x80\x00\x01\x02",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"INVITE sip:a@b\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nVia: nonsense\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 4294967301 better not\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
    ],
)
def test_what_cannot_be_answered_says_so(data: bytes) -> None:
    assert _flaw(data).answerable is None


def test_a_broken_ack_is_never_answered(rig: Rig) -> None:
    assert _flaw(rig.request("ACK", cseq_method="INVITE")).answerable is None


def test_headers_are_bounded(rig: Rig) -> None:
    assert isinstance(parse(rig.request(extra=["X: y"] * (MAX_HEADERS - 20))), Request)
    assert _flaw(rig.request(extra=["X: y"] * MAX_HEADERS)).flaw == "Too Many Headers"


def test_responses() -> None:
    tail = b"Via: SIP/2.0/UDP h;branch=b\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: c\r\n"
    tail += b"CSeq: 1 BYE\r\n\r\n"
    found = parse(b"SIP/2.0 200 \xd0\x9e\xd0\x9a then\r\n" + tail)
    assert isinstance(found, Response)
    assert (found.status, found.reason) == (200, "\u041e\u041a then")
    bare = parse(b"SIP/2.0 100\r\n" + tail)
    assert isinstance(bare, Response)
    assert (bare.status, bare.reason) == (100, "")


def test_no_value_that_came_in_breaks_a_line_going_out(rig: Rig) -> None:
    message = parse(rig.request(extra=["X-A: one\rVia: two", "X-B: three\r\r"]))
    assert message.header("X-A") == "one Via: two"
    assert serialise(message).count(b"\r") == serialise(message).count(b"\r\n")


@pytest.mark.parametrize("evil", ["a\r\nB: c", "a\nb", "a\rb"])
def test_serialise_refuses_injection(evil: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        serialise(Response(200, "OK", (("X", evil),)))
    with pytest.raises(ValueError, match="line break"):
        serialise(Response(200, evil, ()))


def test_content_length_is_always_right() -> None:
    data = serialise(Request("INFO", "sip:a@b", (("content-length", "99"),), b"abc"))
    assert data == b"INFO sip:a@b SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"


def test_listed_values(rig: Rig) -> None:
    message = parse(rig.request(extra=["Require: a, b", "Require: c,", 'X-L: "a,b" <x>, <y,z>']))
    assert message.listed("require") == ["a", "b", "c"]
    assert message.listed("X-L") == ['"a,b" <x>', "<y,z>"]


def test_received_knows_where_the_answer_goes(rig: Rig) -> None:
    message = parse(rig.request())
    assert isinstance(message, Request)
    assert Received(message, rig.peer, rig.local).reply_flow.peer == rig.peer


text = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc"]), min_size=1)


@given(display=text, user=st.text("abc0123*#;+%", min_size=1), extra=text, body=st.binary())
def test_parse_of_serialise_is_the_message(
    display: str, user: str, extra: str, body: bytes
) -> None:
    quoted = display.replace("\\", "\\\\").replace('"', '\\"')
    message = Request(
        "INVITE",
        f"sip:{user}@127.0.0.1",
        (
            ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx"),
            ("From", f'"{quoted}" <sip:{user}@h>;tag=a'),
            ("To", f"<sip:{user}@h>"),
            ("Call-ID", extra),
            ("CSeq", "1 INVITE"),
            ("X-Extra", extra),
            ("Content-Length", str(len(body))),
        ),
        body,
    )
    again = parse(serialise(message))
    assert again == message
    assert again.from_.display == display


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 3))
def test_garbage_raises_one_type(noise: bytes, at: int, cut: int) -> None:
    for data in (noise, SLOPPY[:at] + noise + SLOPPY[at + cut :]):
        try:
            message = parse(data)
        except SipParseError:
            continue
        assert message.call_id
        assert serialise(message)
