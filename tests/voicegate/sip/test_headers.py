"""Header values: what is accepted, what is refused, what is written back."""

from __future__ import annotations

import time

import pytest

from voicegate.sip.headers import (
    Address,
    CSeq,
    NameAddr,
    SipUri,
    Via,
    param,
    readable,
    scheme_of,
    split_outside,
    user_of,
)


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:100@127.0.0.1:5061", "100", "127.0.0.1", 5061),
        ("sip:*31#100@gate", "*31#100", "gate", None),
        (
            "sip:user;par=u%40example.net@example.com",
            "user;par=u%40example.net",
            "example.com",
            None,
        ),
        ("SIPS:bob:secret@[::1]:5071;lr", "bob", "::1", 5071),
        ("sip:127.0.0.1", "", "127.0.0.1", None),
        ("sip:a@b@host?Route=%3Csip:evil%3E", "a@b", "host", None),
    ],
)
def test_uris_of_odd_gates_are_read(text: str, user: str, host: str, port: int | None) -> None:
    uri = SipUri.parse(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip:@host",
        "tel:+49",
        "sip:a@ho st",
        "<sip:a@b>",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:12x",
        "sip:a@[::1",
    ],
)
def test_broken_uris_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"URI|host|port"):
        SipUri.parse(text)


@pytest.mark.parametrize(
    "text", ["sip:100@127.0.0.1:5061;lr;x=1", "sips:[::1]", "sip:a;b=c@host;transport=udp"]
)
def test_uri_round_trip(text: str) -> None:
    assert str(SipUri.parse(text)) == text


def test_loose_router_is_told_by_lr() -> None:
    assert SipUri.parse("sip:p;lr").is_loose_router
    assert SipUri.parse("sip:p;lr=on").is_loose_router
    assert not SipUri.parse("sip:lr@p").is_loose_router


@pytest.mark.parametrize(
    ("text", "display", "uri", "tag"),
    [
        ('"Alice" <sip:100@h>;tag=x', "Alice", "sip:100@h", "x"),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", "323"),
        ("Bell, Alexander <sip:a@h>;tag=43", "Bell, Alexander", "sip:a@h", "43"),
        ("sip:a@h;tag=9;x=y", "", "sip:a@h", "9"),
        ('"a \\"b\\" <;," < sip:t@h >;TAG=1', 'a "b" <;,', "sip:t@h", "1"),
        ("<isbn:2983792873>;tag=q", "", "isbn:2983792873", "q"),
        ("<sip:a@h;tag=uri>", "", "sip:a@h;tag=uri", ""),
        ('"\u0442\u0435\u0441\u0442" <sip:a@h>', "\u0442\u0435\u0441\u0442", "sip:a@h", ""),
    ],
)
def test_name_addr(text: str, display: str, uri: str, tag: str) -> None:
    value = NameAddr.parse(text)
    assert (value.display, value.uri, value.tag) == (display, uri, tag)
    assert NameAddr.parse(str(value)) == value


@pytest.mark.parametrize("text", ["", '"open <sip:a@b>', "<sip:a@b", "nothing", '"a" sip:b@c'])
def test_broken_name_addrs_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        NameAddr.parse(text)


def test_via_with_spaces_everywhere() -> None:
    via = Via.parse("SIP  / 2.0  / UDP     192.0.2.2 : 5062 ; branch = z9hG4bKa ; rport")
    assert via == Via("UDP", "192.0.2.2", 5062, (("branch", "z9hG4bKa"), ("rport", None)))
    assert str(via) == "SIP/2.0/UDP 192.0.2.2:5062;branch=z9hG4bKa;rport"
    assert Via.parse("SIP/2.0/tcp [::1]").host == "::1"


@pytest.mark.parametrize(
    "text", ["", ";", "HTTP/2.0/UDP h", "SIP/2.0/UDP", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h x"]
)
def test_broken_vias_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Via.parse(text)


def test_via_is_stamped_as_rfc_3261_and_3581_say() -> None:
    source = Address("127.0.0.9", 40000)
    plain = Via.parse("SIP/2.0/UDP 127.0.0.9:5061;branch=b")
    assert plain.stamped(source) == plain
    foreign = Via.parse("SIP/2.0/UDP 10.0.0.1;branch=b;received=6.6.6.6").stamped(source)
    assert str(foreign) == "SIP/2.0/UDP 10.0.0.1;branch=b;received=127.0.0.9"
    asked = Via.parse("SIP/2.0/UDP 127.0.0.9:5061;rport;branch=b").stamped(source)
    assert param(asked.params, "rport") == "40000"
    assert param(asked.params, "received") == "127.0.0.9"


def test_responses_go_to_the_source_and_nowhere_else() -> None:
    source = Address("127.0.0.9", 40000)

    def where(text: str) -> Address:
        return Via.parse(text).reply_flow(source, source).peer

    assert where("SIP/2.0/UDP h:5070;rport") == source
    assert where("SIP/2.0/UDP h:5070") == Address("127.0.0.9", 5070)
    assert where("SIP/2.0/UDP h;maddr=239.1.1.1;received=1.2.3.4") == Address("127.0.0.9", 5060)


def test_cseq() -> None:
    assert CSeq.parse(" 0009   INVITE") == CSeq(9, "INVITE")
    assert str(CSeq(9, "BYE")) == "9 BYE"


@pytest.mark.parametrize("text", ["", "1", "INVITE", "-1 BYE", "2147483648 BYE", "9" * 30 + " BYE"])
def test_broken_cseqs_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CSeq"):
        CSeq.parse(text)


def test_split_outside_minds_quotes_and_brackets() -> None:
    assert split_outside('"a,\\",b" <sip:x,y>, c', ",") == ['"a,\\",b" <sip:x,y>', "c"]
    assert split_outside("a, b,,", ",") == ["a", "b", "", ""]


@pytest.mark.parametrize("text", ["<" * 60_000, '"' + '\\"' * 30_000, ";" * 60_000, " " * 60_000])
def test_hostile_values_cost_linear_time(text: str) -> None:
    began = time.process_time()
    for parser in (NameAddr.parse, Via.parse, SipUri.parse, CSeq.parse):
        with pytest.raises(ValueError, match=r".+"):
            parser(text)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:%2B49*31%23@h", "+49*31#"),
        ("sip:a%00b%0d%0aX@h", "a?b??X"),
        ("tel:+4912;phone-context=x", "+4912"),
        ("sip:M\udcfcller@h", "M\u00fcller"),
        ("sip:h", ""),
        ("isbn:12", ""),
    ],
)
def test_user_parts_are_made_readable(uri: str, user: str) -> None:
    assert user_of(uri) == user


def test_readable_takes_utf8_and_latin_1() -> None:
    assert readable("тест") == "тест"
    assert readable("M\udcfcller") == "Müller"
    assert readable("\x1b[2J\u202e") == "?[2J?"


def test_scheme() -> None:
    assert scheme_of("soap.beep://x") == "soap.beep"
    with pytest.raises(ValueError, match="scheme"):
        scheme_of("no scheme:x")


def test_address_as_text() -> None:
    assert str(Address("::1", 5060)) == "[::1]:5060"
    assert str(Address("127.0.0.1", 5060)) == "127.0.0.1:5060"
