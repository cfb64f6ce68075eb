import pytest

from voicegate.media.sdp import Direction, OfferRefused, is_address, parse_offer

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
AUDIO = b"m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"


def test_a_plain_offer() -> None:
    (stream,) = parse_offer(HEAD + AUDIO + b"a=ptime:30\r\n").streams
    assert (stream.media, stream.port, stream.protocol) == ("audio", 4000, "RTP/AVP")
    assert stream.connection == "192.0.2.9"
    assert stream.encodings == ((8, "PCMA/8000"), (0, "PCMU/8000"), (96, "TELEPHONE-EVENT/8000"))
    assert stream.ptime_ms == 30
    assert stream.direction is Direction.SENDRECV


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b" \r\n\r\n"])
def test_any_line_end_will_do(end: bytes) -> None:
    assert parse_offer((HEAD + AUDIO).replace(b"\r\n", end)) == parse_offer(HEAD + AUDIO)


def test_unknown_lines_and_bytes_are_passed_over() -> None:
    odd = b"s=\x00\xff\xfe caf\xc3\xa9\x85m=video\r\nz=?\r\nno line at all\r\nk=prompt\r\n"
    assert parse_offer(HEAD + odd + AUDIO + b"a=x:" + b"y" * 5000) == parse_offer(HEAD + AUDIO)


def test_lines_of_a_stream_come_before_those_of_the_session() -> None:
    body = (
        b"v=0\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\n"
        b"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.2/127\r\n"
        b"m=audio 4002 RTP/AVP 0\r\na=inactive\r\n"
    )
    first, second = parse_offer(body).streams
    assert (first.connection, first.direction) == ("192.0.2.2", Direction.SENDONLY)
    assert (second.connection, second.direction) == ("192.0.2.1", Direction.INACTIVE)


def test_a_mapping_beats_the_static_meaning() -> None:
    mapped = b"m=audio 4000 RTP/AVP 0 97 98\r\na=rtpmap:0 L16/8000\r\na=rtpmap:97 pcma/8000/1\r\n"
    (stream,) = parse_offer(HEAD + mapped).streams
    assert stream.encodings == ((0, "L16/8000"), (97, "PCMA/8000"))


@pytest.mark.parametrize("value", [b"0", b"x", b"-20", b"", b"999999999999"])
def test_a_senseless_ptime_is_none(value: bytes) -> None:
    assert parse_offer(HEAD + AUDIO + b"a=ptime:" + value).streams[0].ptime_ms is None


@pytest.mark.parametrize("port", [b"70000", b"-1", b"99999999999999999999", b"x", b"\xc2\xb2"])
def test_what_is_no_port_is_none_or_refused(port: bytes) -> None:
    body = HEAD + AUDIO.replace(b"4000", port)
    if port.isascii():
        assert parse_offer(body).streams[0].port is None
    else:
        with pytest.raises(OfferRefused):
            parse_offer(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 488),
        (b"\r\n", 488),
        (b"hello", 400),
        (b"<xml/>", 400),
        (b"\x00" * 50, 400),
        (b"v=1\r\n" + AUDIO, 400),
        (b"v=0\r\n" + b"a=x\r\n" * 20000, 400),
        (HEAD, 488),
        (HEAD + b"m=audio\r\n", 488),
        (HEAD + b"m=audio 4000 RTP/AVP\r\n", 488),
        (HEAD + b"m=audio 4000 RTP/AVP 0\x00\r\n", 488),
        (HEAD + AUDIO * 17, 488),
        (HEAD + b"m=audio 4000 RTP/AVP" + b" 0" * 65 + b"\r\n", 488),
    ],
)
def test_what_is_no_offer_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(OfferRefused) as refusal:
        parse_offer(body)
    assert refusal.value.status == status


def test_directions_answer_each_other() -> None:
    table = {(d.sends, d.receives): d for d in Direction}
    assert len(table) == 4
    for (sends, receives), direction in table.items():
        assert Direction.of(sends=sends, receives=receives) is direction


def test_only_an_address_is_one() -> None:
    assert is_address("192.0.2.1")
    assert is_address("2001:db8::1")
    for text in (
        "example.com",
        "999.1.1.1",
        "",
        "192.0.2.1\x00",
        "fe80::1%eth0",
        "127.1",
        "2130706433",
    ):
        assert not is_address(text), text
