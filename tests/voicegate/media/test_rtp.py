import itertools
import json
import random
import struct
from pathlib import Path

import pytest

from voicegate.media.rtp import (
    RtpFormatError,
    RtpPacket,
    RtpReceiver,
    RtpSender,
    parse_rtp,
)

EDGE_CASES = Path(__file__).parents[4] / "shared" / "corpora" / "own" / "rtp_edge.json"
VOICE = bytes(range(160))


def packet(sequence: int, ssrc: int = 7, payload: bytes = VOICE, kind: int = 0) -> bytes:
    stamp = sequence * 160 & 0xFFFFFFFF
    return RtpPacket(kind, False, sequence & 0xFFFF, stamp, ssrc, payload).serialise()


def sequences(receiver: RtpReceiver, *datagrams: bytes) -> list[int]:
    return [got.sequence for data in datagrams for got in receiver.receive(data)[0]]


def test_a_packet_reads_back_as_it_was_written() -> None:
    written = RtpPacket(101, True, 65535, 0xFFFFFFFF, 0xDEADBEEF, b"abc")
    assert written.serialise() == b"\x80\xe5\xff\xff\xff\xff\xff\xff\xde\xad\xbe\xefabc"
    assert parse_rtp(written.serialise()) == written


def test_csrc_extension_and_padding_are_cut_off() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 8, 5, 6, 7)
    csrc, extension = bytes(8), b"\xbe\xde\x00\x02" + bytes(8)
    assert parse_rtp(head + csrc + extension + VOICE + b"\0\0\3").payload == VOICE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        b"\x40" + bytes(171),
        b"\xc0" + bytes(171),
        b"\x8f" + bytes(20),
        b"\x90" + bytes(11),
        b"\x90" + bytes(13) + b"\xff\xff" + bytes(100),
        b"\xa0" + bytes(171),
        b"\xa0" + bytes(11) + b"\xff",
        b"\xa0" + bytes(10) + b"\x01",
    ],
)
def test_broken_datagrams_raise_one_error_and_are_counted(data: bytes) -> None:
    with pytest.raises(RtpFormatError):
        parse_rtp(data)
    receiver = RtpReceiver(0)
    assert receiver.receive(data) == ((), None)
    assert receiver.malformed == 1


def test_no_bytes_at_all_raise_anything_else() -> None:
    source, receiver = random.Random(8), RtpReceiver(0, 101)
    for _ in range(3000):
        data = source.randbytes(source.randrange(64))
        receiver.receive(bytes([source.choice((0x80, 0x90, 0xA0, 0xBF, 0)), 0x65]) + data)
    assert receiver.malformed > 0


def test_the_sender_counts_frames_and_wraps() -> None:
    sender = RtpSender(8, random.Random(1))
    sent = [parse_rtp(sender.packet(VOICE)) for _ in range(70000)]
    for before, after in itertools.pairwise(sent):
        assert after.sequence == (before.sequence + 1) % 65536
        assert after.timestamp == (before.timestamp + 160) % 2**32
    assert {(p.payload_type, p.ssrc, p.payload) for p in sent} == {(8, sender.ssrc, VOICE)}
    assert [p.marker for p in sent[:3]] == [True, False, False]
    sender.mark()
    assert parse_rtp(sender.packet(VOICE)).marker


def test_two_senders_start_apart() -> None:
    source = random.Random(2)
    first, second = (parse_rtp(RtpSender(0, source).packet(VOICE)) for _ in range(2))
    assert first.ssrc != second.ssrc
    assert (first.sequence, first.timestamp) != (second.sequence, second.timestamp)


def test_a_stream_passes_reordered_wrapped_and_with_gaps() -> None:
    order = [65530, 65531, 65533, 65532, 65535, 0, 2, 1, 500]
    assert sequences(RtpReceiver(0), *(packet(number) for number in order)) == order


def test_one_packet_of_another_source_never_moves_the_stream() -> None:
    receiver = RtpReceiver(0)
    mixed = [packet(1), packet(900, ssrc=9), packet(2), packet(901, ssrc=9), packet(3)]
    assert sequences(receiver, *mixed) == [1, 2, 3]
    assert receiver.strays == 2


def test_a_new_source_takes_over_with_its_second_packet_and_loses_none() -> None:
    receiver = RtpReceiver(0)
    stream = [packet(1), packet(900, ssrc=9), packet(901, ssrc=9), packet(902, ssrc=9)]
    assert sequences(receiver, *stream) == [1, 900, 901, 902]
    assert receiver.strays == 0


def test_a_restarted_sequence_is_believed_at_the_second_packet() -> None:
    receiver = RtpReceiver(0)
    stream = [packet(1), packet(30000), packet(2), packet(40000), packet(40001), packet(40002)]
    assert sequences(receiver, *stream) == [1, 2, 40000, 40001, 40002]


def test_a_payload_longer_than_a_voice_packet_is_malformed() -> None:
    receiver = RtpReceiver(0)
    assert sequences(receiver, packet(1, payload=bytes(1601)), packet(1, payload=bytes(1600))) == [
        1
    ]
    assert receiver.malformed == 1


def test_other_payload_types_and_rtcp_are_counted_and_dropped() -> None:
    receiver = RtpReceiver(0, 101)
    rtcp = bytes.fromhex("80c8000600000007") + bytes(20)
    assert sequences(receiver, packet(1, kind=8), packet(2, kind=96), rtcp) == []
    assert receiver.unexpected == 3


def test_comfort_noise_and_events_move_the_sequence_without_audio() -> None:
    receiver = RtpReceiver(0, 101)
    digit = struct.pack("!BBH", 4, 10, 160)
    receiver.receive(packet(1))
    noise, heard = receiver.receive(packet(2, kind=13, payload=b"\x40"))
    assert [(got.sequence, got.payload) for got in noise] == [(2, b"")]
    assert heard is None
    events, heard = receiver.receive(packet(3, kind=101, payload=digit))
    assert [(got.sequence, got.payload) for got in events] == [(3, b"")]
    assert heard == "4"


def test_a_digit_counts_whatever_its_source_and_moves_nothing_then() -> None:
    receiver = RtpReceiver(0, 101)
    receiver.receive(packet(1))
    digit = struct.pack("!BBH", 11, 10, 160)
    assert receiver.receive(packet(50, ssrc=9, kind=101, payload=digit)) == ((), "#")
    assert receiver.receive(packet(51, kind=101, payload=b"\x01"))[1] is None
    assert receiver.malformed == 1


def test_the_edge_cases_never_touch_the_stream_of_the_caller() -> None:
    if not EDGE_CASES.exists():
        pytest.skip("the corpus of RTP edge cases is not beside the repository")
    receiver = RtpReceiver(0, 101)
    got: list[RtpPacket] = []
    for number, case in enumerate(json.loads(EDGE_CASES.read_text(encoding="utf-8"))):
        got += receiver.receive(packet(number, ssrc=0xCA11))[0]
        for _ in range(3):
            got += receiver.receive(bytes.fromhex(case["hex"]))[0]
    assert len(got) == len({one.sequence for one in got}) > 10
    assert {one.ssrc for one in got} == {0xCA11}
    assert receiver.malformed > 0
