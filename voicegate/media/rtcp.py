"""RTCP (RFC 3550 6): our reports as bytes, and what the caller's say of the way there and back."""

import struct
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from voicegate.media.rtp import RtpSender

SR, RR, SDES, BYE = 200, 201, 202, 203
_KINDS = range(192, 224)
"""RFC 5761 4: what stands at the place of the kind in an RTCP packet, and in no RTP packet."""
_HEAD = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_CNAME = 1
_WORD = 4
_ROUND_TRIP_MAX = 60 << 16
"""Of 1/65536 s. A longer one is a mistake of the caller's clock."""


class RtcpFormatError(ValueError):
    """The bytes are no RTCP packet."""


class RtcpPacket(NamedTuple):
    """One packet of a compound, without its padding."""

    kind: int
    """SR, RR, SDES, BYE, or what we do not know."""
    items: int
    """How many: of its report blocks, chunks or sources."""
    body: bytes
    """What follows the first four bytes."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller's stream, as we hear it."""

    ssrc: int
    """Its source."""
    sequence: int
    """Its newest packet, 16 bits."""
    expected: int
    """Packets in this call, lost ones too."""
    received: int
    """Packets in this call, each once."""
    jitter: int
    """Interarrival jitter in samples."""


def parse_rtcp(data: bytes) -> list[RtcpPacket]:
    """Read a compound. Raises RtcpFormatError, nothing else."""
    return list(_packets(data))


def _packets(data: bytes) -> Iterator[RtcpPacket]:
    # RFC 3550 A.2, but for the order: RFC 5506 allows any packet to stand alone.
    at = 0
    while at < len(data) or not at:
        if len(data) - at < _HEAD.size:
            raise RtcpFormatError("shorter than a header")
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + _WORD * (words + 1)
        if first >> 6 != 2 or kind not in _KINDS or end > len(data):
            raise RtcpFormatError("no RTCP header, or cut off")
        body = data[at + _HEAD.size : end]
        if first & 0x20:
            padding = body[-1] if body else 0
            if not 0 < padding <= len(body):
                raise RtcpFormatError("padding of no length, or longer than the packet")
            body = body[:-padding]
        yield RtcpPacket(kind, first & 0x1F, body)
        at = end


def _packet(kind: int, items: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | items, kind, len(body) // _WORD) + body


def _ntp(now: float) -> int:
    # RFC 3550 6.4.1: a clock of the system may stand in for the time of day.
    return int(now * 2**32) & 0xFFFFFFFFFFFFFFFF


def _middle(ntp: int) -> int:
    return (ntp >> 16) & 0xFFFFFFFF


class Reporter:
    """Writes our reports about one call, and reads the caller's."""

    def __init__(self, sender: RtpSender, source: Random) -> None:
        self.malformed = 0
        """Datagrams that are no RTCP."""
        self.far_lost = 0
        """Packets of ours that never came, by the caller's word."""
        self.far_jitter_ms = 0.0
        """Jitter of our stream where it arrives, by the caller's newest word."""
        self.round_trip_ms = 0.0
        """The newest measured; 0 before any."""
        self._sender = sender
        # RFC 7022 4.2: 96 random bits name us, and say nothing about anybody.
        self._name = b64encode(source.getrandbits(96).to_bytes(12))
        self._packets_before = 0
        self._stream: Heard | None = None
        self._before: Heard | None = None
        self._highest = 0
        self._their_report: tuple[int, int, float] | None = None

    # What we say

    def report(self, heard: Heard | None, now: float, *, bye: bool = False) -> bytes:
        """Give a compound: a report, our name, and at the end of a call the goodbye."""
        blocks = b"" if heard is None else self._block(heard, now)
        sender, count = self._sender, len(blocks) // _BLOCK.size
        # RFC 3550 6.4: a sender report only where something was sent since the last one.
        if sender.packets > self._packets_before:
            self._packets_before = sender.packets
            info = _SENDER.pack(
                sender.ssrc,
                _ntp(now),
                sender.timestamp,
                sender.packets & 0xFFFFFFFF,
                sender.octets & 0xFFFFFFFF,
            )
            first = _packet(SR, count, info + blocks)
        else:
            first = _packet(RR, count, sender.ssrc.to_bytes(4) + blocks)
        chunk = sender.ssrc.to_bytes(4) + bytes((_CNAME, len(self._name))) + self._name
        # RFC 3550 6.5: a zero byte ends the items, and more of them fill the word.
        chunk += bytes(_WORD - len(chunk) % _WORD)
        goodbye = _packet(BYE, 1, sender.ssrc.to_bytes(4)) if bye else b""
        return first + _packet(SDES, 1, chunk) + goodbye

    def _block(self, heard: Heard, now: float) -> bytes:
        """What we heard since the last report, and in all (RFC 3550 6.4.1, A.3)."""
        before = self._before
        if self._stream is None or before is None or before.ssrc != heard.ssrc:
            is_first = self._stream is None
            self._stream = before = Heard(
                heard.ssrc, heard.sequence, *((0, 0) if is_first else _sums(heard)), jitter=0
            )
            self._highest = heard.sequence
        else:
            self._highest += (heard.sequence - before.sequence) & 0xFFFF
        expected, received = heard.expected - before.expected, heard.received - before.received
        lost = max(0, expected - received)
        in_all = (heard.expected - self._stream.expected) - (heard.received - self._stream.received)
        self._before = heard
        return _BLOCK.pack(
            heard.ssrc,
            (min(255, (lost << 8) // expected) if expected > 0 else 0) << 24
            | max(0, min(in_all, 0x7FFFFF)),
            self._highest & 0xFFFFFFFF,
            min(heard.jitter, 0xFFFFFFFF),
            *self._echo(heard.ssrc, now),
        )

    def _echo(self, ssrc: int, now: float) -> tuple[int, int]:
        """Their newest sender report and how long ago it came: they measure the way by it."""
        if self._their_report is None or self._their_report[0] != ssrc:
            return 0, 0
        _, stamp, came_at = self._their_report
        return stamp, int((now - came_at) * 65536) & 0xFFFFFFFF

    # What they say

    def receive(self, data: bytes, now: float) -> bool:
        """Take a datagram; False where it is no RTCP."""
        try:
            for packet in parse_rtcp(data):
                self._take(packet, now)
        except RtcpFormatError:
            self.malformed += 1
            return False
        return True

    def _take(self, packet: RtcpPacket, now: float) -> None:
        kind, items, body = packet
        if kind not in (SR, RR):
            return
        start = _SENDER.size if kind == SR else 4
        if len(body) < start + items * _BLOCK.size:
            raise RtcpFormatError("report cut off")
        if kind == SR:
            ssrc, ntp = _SENDER.unpack_from(body)[:2]
            self._their_report = (ssrc, _middle(ntp), now)
        for number in range(items):
            block = _BLOCK.unpack_from(body, start + number * _BLOCK.size)
            if block[0] == self._sender.ssrc:
                self._take_block(block, now)

    def _take_block(self, block: tuple[int, ...], now: float) -> None:
        _, lost, _, jitter, stamp, delay = block
        lost &= 0xFFFFFF
        # RFC 3550 6.4.1: a signed number; packets that came twice can make it negative.
        self.far_lost = 0 if lost & 0x800000 else lost
        self.far_jitter_ms = jitter / 8
        round_trip = (_middle(_ntp(now)) - stamp - delay) & 0xFFFFFFFF
        if stamp and round_trip < _ROUND_TRIP_MAX:
            self.round_trip_ms = round_trip * 1000 / 65536


def _sums(heard: Heard) -> tuple[int, int]:
    return heard.expected, heard.received
