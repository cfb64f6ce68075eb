"""RTP packets as the gate writes and reads them (RFC 3550, RFC 4733), sharing nothing with ours."""

import struct
from dataclasses import dataclass

FRAME_S = 0.02
SAMPLES = 160
"""20 ms at 8000 Hz: what one packet of any codec here carries."""


@dataclass(frozen=True)
class RtpPacket:
    """One packet."""

    payload_type: int
    "RFC 3551."

    sequence: int
    "16 bits."

    timestamp: int
    "32 bits, in samples."

    ssrc: int
    "32 bits."

    payload: bytes
    "Without padding."

    marker: bool = False
    "First packet of a talkspurt or event."

    def serialise(self) -> bytes:
        """The packet as bytes."""
        second = self.payload_type | (0x80 if self.marker else 0)
        head = struct.pack("!BBHII", 0x80, second, self.sequence, self.timestamp, self.ssrc)
        return head + self.payload


def parse_rtp(data: bytes) -> RtpPacket:
    """Read a packet; ValueError says what is wrong with it (RFC 3550 5.1)."""
    if len(data) < 12:
        raise ValueError(f"{len(data)} bytes are no RTP packet")
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    if first >> 6 != 2:
        raise ValueError(f"version {first >> 6}")
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise ValueError("header extension cut off")
        start += 4 + 4 * int(struct.unpack_from("!H", data, start + 2)[0])
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end:
        raise ValueError("shorter than its header and padding")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


@dataclass
class RtpSender:
    """Numbers the packets of one stream."""

    payload_type: int
    "Of the audio."

    ssrc: int
    "May be changed in mid-call."

    sequence: int
    "Of the next packet."

    timestamp: int
    "Of the next packet."

    marker: bool = True
    "Whether the next audio packet starts a talkspurt."

    def audio(self, payload: bytes) -> bytes:
        """The next packet of 20 ms."""
        packet = self._packet(self.payload_type, self.timestamp, payload, marker=self.marker)
        self.marker = False
        self.pass_frame()
        return packet

    def event(self, payload_type: int, payload: bytes, started: int, *, marker: bool) -> bytes:
        """A packet of a telephone event that began at timestamp `started` (RFC 4733 2.5.1)."""
        return self._packet(payload_type, started, payload, marker=marker)

    def pass_frame(self) -> None:
        """Let 20 ms go by (sent or not)."""
        self.timestamp = (self.timestamp + SAMPLES) % 2**32

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        packet = RtpPacket(payload_type, self.sequence, timestamp, self.ssrc, payload, marker)
        self.sequence = (self.sequence + 1) % 2**16
        return packet.serialise()


def digit_payloads(digit: str, frames: int) -> list[bytes]:
    """RFC 4733 2.5.1: the event packets of one key press, the end of it three times."""
    event = "0123456789*#ABCD".index(digit.upper())
    growing = [struct.pack("!BBH", event, 10, (n + 1) * SAMPLES) for n in range(frames)]
    return growing + [struct.pack("!BBH", event, 0x80 | 10, frames * SAMPLES)] * 3
