"""The caller's own jitter buffer, for RTP that a bad network has lost, delayed or doubled."""

import asyncio
from collections.abc import Callable

from .rtp import RtpPacket

DEPTH_S = 0.12
"""How long the first packet is held back, and so how late another may be."""
AHEAD_MAX_S = 1.0
"""A timestamp further ahead begins the stream anew."""
RATE_HZ = 8000


class Earpiece:
    """Plays each packet at its place in the stream, or never."""

    def __init__(self, play: Callable[[RtpPacket, float, float], None]) -> None:
        """`play(packet, at_s, lost_s)` gets them in order, with what is missing before each."""
        self.late = 0
        self.doubled = 0
        self._play = play
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._ssrc: int | None = None
        self._first = 0
        self._first_due_s = 0.0
        self._played_to = 0

    def receive(self, packet: RtpPacket) -> None:
        """Take a packet as the network delivers it."""
        now = self._loop.time()
        place = self._place(packet)
        due_s = self._first_due_s + place / RATE_HZ
        if packet.ssrc != self._ssrc or due_s > now + AHEAD_MAX_S:
            self.close()
            self._ssrc, self._first, self._played_to = packet.ssrc, packet.timestamp, 0
            place, due_s = 0, now + DEPTH_S
            self._first_due_s = due_s
        if place in self._waiting:
            self.doubled += 1
        elif due_s < now or place < self._played_to:
            self.late += 1
        else:
            self._waiting[place] = self._loop.call_at(due_s, self._due, place, packet, due_s)

    def _place(self, packet: RtpPacket) -> int:
        """Samples since the first packet (RFC 3550 5.1: the timestamp wraps at 32 bits)."""
        return (packet.timestamp - self._first + 2**31) % 2**32 - 2**31

    def _due(self, place: int, packet: RtpPacket, due_s: float) -> None:
        del self._waiting[place]
        lost_s = (place - self._played_to) / RATE_HZ
        self._played_to = place + len(packet.payload)
        self._play(packet, due_s, lost_s)

    def close(self) -> None:
        """Play nothing more; harmless twice."""
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
