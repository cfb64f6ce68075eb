"""Our voice as packets, without a socket."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.voicegate.media.test_answer import AUDIO, HEAD, answer_to
from voicegate.media import g722
from voicegate.media.codec import G722, PCMA, SILENCE_FRAME
from voicegate.media.outgoing import Outgoing
from voicegate.media.rtp import RtpPacket, parse_rtp

LOUD = b"\x10\x20" * 160


class Line:
    """What was sent at once, and what 10 ms later."""

    def __init__(self, more: str = "") -> None:
        self.sent: list[RtpPacket] = []
        self.later: list[RtpPacket] = []
        self.answer = answer_to(HEAD + AUDIO + more)
        self.out = Outgoing(self.answer, random.Random(1), self._send, self._send_later)

    def _send(self, packet: bytes) -> None:
        self.sent.append(parse_rtp(packet))

    def _send_later(self, after_s: float, send: Callable[[bytes], None], packet: bytes) -> None:
        assert after_s == 0.01
        self.later.append(parse_rtp(packet))


def test_a_frame_is_a_packet_and_silence_too() -> None:
    line = Line()
    line.out.say(LOUD)
    line.out.say(None)
    assert [packet.payload for packet in line.sent] == [PCMA.encode(LOUD), PCMA.silence]
    assert [packet.marker for packet in line.sent] == [True, False]
    assert (line.out.sender.packets, line.out.sender.octets) == (2, 320)


def test_packets_of_30_ms_are_cut_across_frames() -> None:
    line = Line("a=ptime:30\r\n")
    for _ in range(6):
        line.out.say(LOUD)
    assert [len(packet.payload) for packet in line.sent + line.later] == [240] * 4
    assert len(line.later) == 2


def test_a_key_waits_for_the_end_of_a_packet() -> None:
    line = Line("a=ptime:40\r\n")
    line.out.say(LOUD)
    line.out.keys.add("1")
    assert not line.out.presses
    line.out.say(LOUD)
    assert line.out.presses
    assert line.out.press() is None
    assert [packet.payload_type for packet in line.sent] == [8, 101]


def test_on_hold_only_the_time_goes_on() -> None:
    line = Line("a=inactive\r\n")
    before = line.out.sender.timestamp
    line.out.say(LOUD)
    line.out.keys.add("1")
    line.out.press()
    assert line.sent == []
    assert line.out.sender.timestamp == (before + 320) & 0xFFFFFFFF


@pytest.mark.skipif(not g722.INSTALLED, reason="the package G722 is not installed")
def test_a_codec_that_remembers_hears_the_silence_too_and_outlives_a_hold() -> None:
    line, alone = Line(), G722.for_stream()
    line.out.follow(replace(line.answer, codec=G722, payload_type=9))
    line.out.say(LOUD)
    line.out.follow(replace(line.answer, codec=G722, payload_type=9, ptime_ms=20))
    line.out.say(None)
    line.out.say(LOUD)
    due = [alone.encode(frame) for frame in (LOUD, SILENCE_FRAME, LOUD)]
    assert [packet.payload for packet in line.sent] == due
    assert {packet.payload_type for packet in line.sent} == {9}
