import struct

import pytest

from simulator.gate.rtp import RtpPacket, RtpSender, digit_payloads, parse_rtp


def test_a_packet_survives_the_wire() -> None:
    packet = RtpPacket(8, 65535, 2**32 - 160, 0xDEADBEEF, b"\xd5" * 160, marker=True)
    data = packet.serialise()
    assert data[:4] == bytes([0x80, 0x88, 0xFF, 0xFF])
    assert parse_rtp(data) == packet


def test_csrc_extension_and_padding_are_no_payload() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0, 1, 2, 3)
    csrc = bytes(8)
    extension = struct.pack("!HH", 0xBEDE, 1) + bytes(4)
    assert parse_rtp(head + csrc + extension + b"audio" + b"\0\0\x03").payload == b"audio"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        bytes(12),
        b"\x40" + bytes(20),
        b"\x8f" + bytes(12),
        b"\x90" + bytes(12),
        b"\x90" + bytes(13) + b"\xff\xff",
        b"\xa0" + bytes(11) + b"\x09",
    ],
)
def test_broken_packets_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes are|version|cut off|shorter"):
        parse_rtp(data)


def test_the_sender_numbers_and_wraps() -> None:
    sender = RtpSender(8, 1, 65535, 2**32 - 160)
    first, second = parse_rtp(sender.audio(b"a")), parse_rtp(sender.audio(b"b"))
    assert (first.sequence, first.timestamp, first.marker) == (65535, 2**32 - 160, True)
    assert (second.sequence, second.timestamp, second.marker) == (0, 0, False)


def test_a_key_press_grows_and_ends_three_times() -> None:
    payloads = digit_payloads("#", 2)
    assert [payload.hex() for payload in payloads] == ["0b0a00a0", "0b0a0140"] + ["0b8a0140"] * 3
