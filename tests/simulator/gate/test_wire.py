import pytest

from simulator.gate.wire import (
    Address,
    UnreadableError,
    normal,
    parameter,
    read,
    split_commas,
    tag_of,
    uri_address,
    uri_of,
)


def test_compact_folded_and_bare_lf_headers_read_as_the_plain_ones() -> None:
    plain = read(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: 7 BYE\r\n\r\nbody")
    odd = read(b"SIP/2.0 200 OK\nv: SIP/2.0/UDP h\n ;branch=z9hG4bK1\nCSeq : 7 BYE\n\nbody")
    for message in (plain, odd):
        assert message.branch == "z9hG4bK1"
        assert message.cseq == (7, "BYE")
        assert (message.status, message.reason, message.method) == (200, "OK", "BYE")
        assert message.body == b"body"


def test_a_request_gives_its_method_and_target() -> None:
    message = read(b"BYE sip:100@h:5070 SIP/2.0\r\nCSeq: 3 BYE\r\n\r\n")
    assert (message.method, message.request_uri) == ("BYE", "sip:100@h:5070")
    assert message.summary == "BYE"
    assert not message.is_response


@pytest.mark.parametrize("data", [b"", b"hello\r\n\r\n", b"\x80\x08rtp", b"\r\n\r\n"])
def test_what_has_no_start_line_cannot_be_read(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(data)


def test_unreadable_numbers_do_not_raise() -> None:
    message = read(b"SIP/2.0 abc\r\nCSeq: x y z\r\n\r\n")
    assert message.status == 0
    assert message.cseq == (-1, "")
    assert message.branch == ""


def test_commas_in_quotes_and_brackets_do_not_split() -> None:
    assert split_commas('"a, b" <sip:x@h;p=1,2>;q=1, <sip:y@h>,') == [
        '"a, b" <sip:x@h;p=1,2>;q=1',
        "<sip:y@h>",
    ]


def test_the_tag_is_the_one_behind_the_bracket() -> None:
    assert tag_of('"x;tag=no" <sip:a@h;tag=no>;tag=yes') == "yes"
    assert tag_of("<sip:a@h;tag=no>") is None
    assert tag_of("sip:a@h ; tag = bare") == "bare"


def test_uris_and_their_addresses() -> None:
    assert uri_of('"A" <sip:a@h:1;lr>;x=1') == "sip:a@h:1;lr"
    assert uri_address("sip:a;b@127.0.0.1:5070;transport=udp") == Address("127.0.0.1", 5070)
    assert uri_address("sip:[::1]:5070") == Address("::1", 5070)
    assert uri_address("sip:h") == Address("h", 5060)
    assert uri_address("tel:+49") is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "224.0.0.1", "example.com", ""])
def test_nobody_can_send_to_such_a_host(host: str) -> None:
    assert not Address(host, 5060).is_sendable


@pytest.mark.parametrize("port", [0, 65536])
def test_nobody_can_send_to_such_a_port(port: int) -> None:
    assert not Address("127.0.0.1", port).is_sendable


def test_parameters_and_white_space() -> None:
    assert parameter("SIP/2.0/UDP h;rport;branch=b", "rport") == ""
    assert parameter("SIP/2.0/UDP h;rport = 5;branch=b", "rport") == "5"
    assert parameter("SIP/2.0/UDP h;branch=b", "rport") is None
    assert normal(" a ;  b = c\r\n d ") == "a;b=c d"
