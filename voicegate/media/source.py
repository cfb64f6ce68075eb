"""Whose datagrams are the caller's: those of the agreed address, and of no other host, ever.

A NAT may give the caller another port in mid-call. It is followed only to a port of the same host,
only for two packets in a row of the agreed payload type, and only if they go on with the caller's
own stream or that stream has stopped. Learning from any first packet would hand the call to whoever
sprays ports (RTP Bleed), and a caller that is silent to the last call of its own gate. Who speaks
at the agreed address is heard at once, wherever the call has gone meanwhile.
"""

from collections.abc import Collection

from voicegate.media.answer import PORT_MIN, Target
from voicegate.media.rtp import RtpFormatError, RtpPacket, parse_rtp

SILENCE_S = 2.0
"""The caller's stream must have stopped for so long before another may take its place."""
GAP_MAX = 3000
"""RFC 3550 A.1: packets a stream may be ahead and still be the same."""
MOVES_MAX = 8
"""So often a caller is followed between two offers."""


class CallerSource:
    """The address the caller's packets come from, and the one rule by which it may change."""

    def __init__(self, agreed: Target | None, own: Collection[Target], *, follows: bool) -> None:
        self._own = own
        self._follows = follows
        self.agree(agreed)

    def agree(self, agreed: Target | None) -> None:
        """Hear this address from now on: offer and answer name it. None: nobody."""
        self.address = self._agreed = agreed
        self._moves = 0
        self._held: tuple[Target, RtpPacket] | None = None

    def moves(
        self,
        data: bytes,
        source: Target,
        *,
        payload_type: int,
        stream: tuple[int, int] | None,
        stopped_s: float,
    ) -> bool:
        """Judge a packet of another address; True if the caller is there now.

        `stream` is the caller's SSRC and last sequence number, None before it begins; `stopped_s`
        for how long packets that were due have not come.
        """
        if not self._may_be(source):
            return False
        try:
            packet = parse_rtp(data)
        except RtpFormatError:
            return False
        if packet.payload_type != payload_type:
            return False
        held, self._held = self._held, (source, packet)
        if held is None or held[0] != source or not _follows(held[1], packet, 2):
            return False
        if not (source == self._agreed or _is_heir(stream, held[1], stopped_s)):
            return False
        self._moves += source != self._agreed
        self.address, self._held = source, None
        return True

    def _may_be(self, source: Target) -> bool:
        agreed = self._agreed
        if agreed is None or not self._follows:
            return False
        if source == agreed:
            return True
        follows = self._moves < MOVES_MAX and source not in self._own
        return follows and source[0] == agreed[0] and source[1] >= PORT_MIN


def _is_heir(stream: tuple[int, int] | None, packet: RtpPacket, stopped_s: float) -> bool:
    """Whether it may take the place of the caller's stream."""
    return stream is not None and (stopped_s >= SILENCE_S or _goes_on(stream, packet))


def _follows(before: RtpPacket, packet: RtpPacket, limit: int) -> bool:
    ahead = (packet.sequence - before.sequence) & 0xFFFF
    return packet.ssrc == before.ssrc and 0 < ahead < limit


def _goes_on(stream: tuple[int, int], packet: RtpPacket) -> bool:
    """Whether the packet belongs to the caller's stream: its SSRC nobody else knows."""
    ssrc, sequence = stream
    return packet.ssrc == ssrc and 0 < (packet.sequence - sequence) & 0xFFFF < GAP_MAX
