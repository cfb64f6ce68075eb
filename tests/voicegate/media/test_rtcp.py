"""Our reports read back, the caller's believed as far as they can be true."""

import random
import struct
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegate.media.rtcp import BYE, RR, SDES, SR, Heard, Reporter, RtcpFormatError, parse_rtcp
from voicegate.media.rtp import RtpSender

THEIRS = 0xCA11


def reporter(packets: int = 0) -> Reporter:
    source = random.Random(3)
    sender = RtpSender(8, source)
    for _ in range(packets):
        sender.packet(bytes(160))
    return Reporter(sender, source)


def ssrc_of(reported: Reporter) -> int:
    return reported._sender.ssrc


def blocks_of(data: bytes) -> list[tuple[int, ...]]:
    first = parse_rtcp(data)[0]
    start = 24 if first.kind == SR else 4
    return [struct.unpack_from("!IIIIII", first.body, start + 24 * n) for n in range(first.items)]


def receiver_report(about: int, *rest: int) -> bytes:
    return struct.pack("!BBHIIIIIII", 0x81, RR, 7, THEIRS, about, *rest)


def sender_report(ntp: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, SR, 6, THEIRS, ntp, 0, 1, 160)


def test_who_has_sent_gives_a_sender_report_and_who_has_not_a_receiver_report() -> None:
    sending, silent = reporter(packets=3), reporter()
    kinds = [packet.kind for packet in parse_rtcp(sending.report(None, 10.5))]
    assert kinds == [SR, SDES]
    [first, *_] = parse_rtcp(reporter(packets=3).report(None, 10.5))
    _, ntp, _, packets, octets = struct.unpack("!IQIII", first.body)
    assert (ntp / 2**32, packets, octets) == (10.5, 3, 480)
    assert [packet.kind for packet in parse_rtcp(silent.report(None, 10.5))] == [RR, SDES]
    # nothing was sent since the last report
    assert parse_rtcp(sending.report(None, 15.5))[0].kind == RR


def test_the_name_is_random_bits_and_a_goodbye_ends_the_last_report() -> None:
    _, name, goodbye = parse_rtcp(reporter(packets=1).report(None, 1.0, bye=True))
    ssrc, kind, length = struct.unpack_from("!IBB", name.body)
    assert (kind, length) == (1, 16)
    assert len(b64decode(name.body[6:22])) == 12
    assert name.body[22:].strip(b"\0") == b""
    assert len(name.body) % 4 == 0
    assert (goodbye.kind, goodbye.body) == (BYE, struct.pack("!I", ssrc))


def test_a_block_tells_what_was_lost_since_the_last_and_in_all() -> None:
    """RFC 3550 6.4.1 and A.3."""
    ours = reporter()
    first = blocks_of(ours.report(Heard(THEIRS, 65500, 100, 90, jitter=12), 5.0))
    assert first == [(THEIRS, (25 << 24) | 10, 65500, 12, 0, 0)]
    second = blocks_of(ours.report(Heard(THEIRS, 64, 200, 190, jitter=8), 10.0))
    # the numbers went round once, and nothing was lost this time
    assert second == [(THEIRS, 10, 65536 + 64, 8, 0, 0)]


def test_another_stream_is_counted_anew() -> None:
    ours = reporter()
    ours.report(Heard(THEIRS, 100, 100, 50, jitter=0), 5.0)
    [fresh] = blocks_of(ours.report(Heard(7, 900, 110, 60, jitter=0), 10.0))
    assert fresh[:3] == (7, 0, 900)
    [lost] = blocks_of(ours.report(Heard(7, 910, 120, 65, jitter=0), 15.0))
    assert lost[:3] == (7, (128 << 24) | 5, 910)


def test_their_sender_report_is_echoed_with_its_age() -> None:
    ours = reporter()
    assert ours.receive(sender_report(0x1122334455667788), 20.0)
    [block] = blocks_of(ours.report(Heard(THEIRS, 1, 1, 1, jitter=0), 22.0))
    assert block[4:] == (0x33445566, 2 * 65536)
    [other] = blocks_of(ours.report(Heard(8, 1, 1, 1, jitter=0), 24.0))
    assert other[4:] == (0, 0)


def test_their_word_about_us_gives_loss_jitter_and_the_way_there_and_back() -> None:
    ours = reporter(packets=1)
    sent_at, held_s, back_at = 100.25, 2.0, 102.4
    stamp = int(sent_at * 65536)
    assert ours.receive(
        receiver_report(ssrc_of(ours), 5 << 24 | 33, 0, 80, stamp, int(held_s * 65536)), back_at
    )
    assert ours.round_trip_ms == pytest.approx(150, abs=0.1)
    assert (ours.far_lost, ours.far_jitter_ms) == (33, 10.0)


def test_what_cannot_be_true_or_is_not_about_us_changes_nothing() -> None:
    ours = reporter(packets=1)
    about, now = ssrc_of(ours), 50.0
    ours.receive(receiver_report(about ^ 1, 9, 0, 80, 49 * 65536, 0), now)
    assert (ours.far_lost, ours.far_jitter_ms, ours.round_trip_ms) == (0, 0.0, 0.0)
    # more held than gone by, and a loss below nothing
    ours.receive(receiver_report(about, 0xFFFFFF, 0, 0, 49 * 65536, 2 * 65536), now)
    assert (ours.far_lost, ours.round_trip_ms) == (0, 0.0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc8\x00",
        b"\x40\xc9\x00\x00",
        b"\x80\x08\x00\x00",
        b"\x80\xc9\x00\x05",
        b"\xa0\xc9\x00\x01\x00\x00\x00\x09",
        b"\xa0\xc9\x00\x00",
        sender_report(1) + b"\x80",
    ],
)
def test_what_is_no_rtcp_is_told(data: bytes) -> None:
    with pytest.raises(RtcpFormatError):
        parse_rtcp(data)
    ours = reporter()
    assert not ours.receive(data, 1.0)
    assert ours.malformed == 1


def test_a_report_that_promises_more_blocks_than_it_has_is_malformed() -> None:
    assert not reporter().receive(struct.pack("!BBHI", 0x9F, RR, 1, THEIRS), 1.0)


def test_packets_that_nobody_knows_are_passed_over_and_padding_is_cut() -> None:
    unknown = struct.pack("!BBHI", 0x80, 207, 1, 5)
    padded = struct.pack("!BBHII", 0xA0, RR, 2, THEIRS, 4)
    assert [packet.kind for packet in parse_rtcp(unknown + padded)] == [207, RR]
    assert reporter().receive(unknown + padded, 1.0)


@given(st.binary(max_size=200), st.floats(0, 1e6))
def test_fuzz_no_bytes_raise_anything(data: bytes, now: float) -> None:
    ours = reporter()
    ours.receive(data, now)
    ours.receive(sender_report(0)[:2] + data, now)
    ours.report(Heard(THEIRS, 1, 1, 1, jitter=0), now)
