"""RTP packets (RFC 3550): what we send, and what we accept of what comes."""

import random
import struct
from typing import NamedTuple

from voicegate.media.codec import FRAME_SAMPLES
from voicegate.media.dtmf import DigitDetector

_HEADER = struct.Struct("!BBHII")
_VERSION = 0x80
_PAYLOAD_MAX = 1600
"""Bytes: 200 ms of G.711. Longer is no voice packet."""
_COMFORT_NOISE = 13
_SEQUENCE_GAP_MAX = 3000
"""RFC 3550 A.1: MAX_DROPOUT."""
_SEQUENCE_BACK_MAX = 1000
"""Packets behind the newest that are still of this stream (RFC 3550 A.1 allows 100)."""
_NOTHING: tuple["RtpPacket", ...] = ()


class RtpFormatError(ValueError):
    """The bytes are no RTP packet."""


class RtpPacket(NamedTuple):
    """One RTP packet; CSRC list, header extension and padding are gone."""

    payload_type: int
    """7 bits."""
    marker: bool
    """First packet of a talkspurt or of an event."""
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, in samples."""
    ssrc: int
    """32 bits, the source."""
    payload: bytes
    """Encoded audio or an event; may be empty."""

    def serialise(self) -> bytes:
        """Give the bytes on the wire."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(_VERSION, second, self.sequence, self.timestamp, self.ssrc) + (
            self.payload
        )


def parse_rtp(data: bytes) -> RtpPacket:
    """Read one datagram. Raises RtpFormatError, nothing else."""
    if len(data) < _HEADER.size:
        raise RtpFormatError("shorter than the header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    payload = data[12:] if first == _VERSION else _bare_payload(data, first)
    return RtpPacket(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, payload)


def _bare_payload(data: bytes, first: int) -> bytes:
    """Cut CSRC list, extension and padding off (RFC 3550 5.1, 5.3.1)."""
    if first >> 6 != 2:
        raise RtpFormatError("not version 2")
    start = _HEADER.size + 4 * (first & 0x0F)
    end = len(data)
    if first & 0x10:
        if end < start + 4:
            raise RtpFormatError("extension cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        padding = data[-1]
        if padding == 0:
            raise RtpFormatError("padding of no length")
        end -= padding
    if end < start:
        raise RtpFormatError("header longer than the packet")
    return data[start:end]


class RtpSender:
    """Numbers the packets of one outgoing stream; each codec of ours has 8 bytes a millisecond."""

    def __init__(self, payload_type: int, source: random.Random) -> None:
        # RFC 3550 5.1: sequence and timestamp start at random, and the SSRC is chosen at random.
        self.ssrc = source.getrandbits(32)
        self.payload_type = payload_type
        self._sequence = source.getrandbits(16)
        self.timestamp = source.getrandbits(32)
        self.packets = self.octets = 0
        """Sent so far, for the sender report (RFC 3550 6.4.1)."""
        self._marker = True

    def mark(self) -> None:
        """Set the marker on the next packet: a talkspurt begins there."""
        self._marker = True

    def packet(self, payload: bytes) -> bytes:
        """Give the next packet of sound on the wire."""
        second, timestamp, length = self.payload_type, self.timestamp, len(payload)
        if self._marker:
            second |= 0x80
            self._marker = False
        # RFC 3551 4.5.2: G.722 too counts 8000 a second, though it samples at 16 kHz.
        self.timestamp = (timestamp + length) & 0xFFFFFFFF
        return self._numbered(second, timestamp, payload)

    def event(self, payload_type: int, payload: bytes, began_at: int, first: bool) -> bytes:
        """Give a packet of the event that began at that timestamp (RFC 4733 2.5.1.2)."""
        self._marker = True
        return self._numbered(payload_type | (0x80 if first else 0), began_at, payload)

    def pass_frame(self) -> None:
        """Let 20 ms go by without a packet of sound."""
        self.timestamp = (self.timestamp + FRAME_SAMPLES) & 0xFFFFFFFF

    def _numbered(self, second: int, timestamp: int, payload: bytes) -> bytes:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return _HEADER.pack(_VERSION, second, sequence, timestamp, self.ssrc) + payload


class RtpReceiver:
    """Lets through the packets of one source at a time, and finds the digits among them.

    A stray packet of another source, or one whose sequence number is far off, is held until the
    next in sequence confirms it (RFC 3550 A.1, MIN_SEQUENTIAL = 2): one forged or late packet
    never moves the stream.
    """

    def __init__(self, payload_type: int, telephone_event: int | None = None) -> None:
        self.payload_type = payload_type
        self.telephone_event = telephone_event
        self.malformed = 0
        """Datagrams that are no RTP, or whose payload no voice packet can have."""
        self.unexpected = 0
        """Packets of a payload type that was not agreed on (RTCP among them)."""
        self.strays = 0
        """Packets held back for their source or sequence number and never confirmed."""
        self.comfort_noise = 0
        """Packets of comfort noise (RFC 3389): the caller is silent and saves packets."""
        self.silence = b""
        """What stands in the place of comfort noise: 20 ms, coded."""
        self._digits = DigitDetector()
        self._ssrc: int | None = None
        self._sequence = 0
        self._candidate: RtpPacket | None = None

    def receive(self, data: bytes) -> tuple[tuple[RtpPacket, ...], str | None]:
        """Give the packets this datagram sets free (0 to 2) and the digit that begins with it.

        A packet without audio (event, keep-alive) comes with an empty payload: it moves the
        sequence only. Comfort noise comes as silence, so that nothing is made up behind it.
        """
        try:
            packet = parse_rtp(data)
            if packet.payload_type == self.payload_type:
                if len(packet.payload) > _PAYLOAD_MAX:
                    raise RtpFormatError("payload too long")
                return self._in_stream(packet), None
            return self._not_audio(packet)
        except RtpFormatError:
            self.malformed += 1
            return _NOTHING, None

    @property
    def stream(self) -> tuple[int, int] | None:
        """SSRC and last sequence number of the caller's stream; None before it begins."""
        return None if self._ssrc is None else (self._ssrc, self._sequence)

    def _not_audio(self, packet: RtpPacket) -> tuple[tuple[RtpPacket, ...], str | None]:
        digit, payload = None, b""
        if packet.payload_type == self.telephone_event:
            try:
                digit = self._digits.receive(packet.timestamp, packet.marker, packet.payload)
            except ValueError as error:
                raise RtpFormatError("broken telephone-event") from error
        elif packet.payload_type == _COMFORT_NOISE:
            self.comfort_noise += 1
            payload = self.silence
        else:
            self.unexpected += 1
            return _NOTHING, None
        if packet.ssrc != self._ssrc:
            return _NOTHING, digit
        return self._in_stream(packet._replace(payload=payload)), digit

    def _in_stream(self, packet: RtpPacket) -> tuple[RtpPacket, ...]:
        if self._ssrc is None:
            self._ssrc, self._sequence = packet.ssrc, packet.sequence
            return (packet,)
        if packet.ssrc == self._ssrc:
            ahead = (packet.sequence - self._sequence) & 0xFFFF
            if ahead < _SEQUENCE_GAP_MAX:
                self._sequence = packet.sequence
                self._candidate = None
                return (packet,)
            if ahead >= 0x10000 - _SEQUENCE_BACK_MAX:
                self._candidate = None
                return (packet,)
        return self._on_probation(packet)

    def _on_probation(self, packet: RtpPacket) -> tuple[RtpPacket, ...]:
        held = self._candidate
        if (
            held is not None
            and held.ssrc == packet.ssrc
            and (held.sequence + 1) & 0xFFFF == packet.sequence
        ):
            self.strays -= 1
            self._candidate = None
            self._ssrc, self._sequence = packet.ssrc, packet.sequence
            return held, packet
        self.strays += 1
        self._candidate = packet
        return _NOTHING
