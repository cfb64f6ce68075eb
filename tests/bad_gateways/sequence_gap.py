"""A number is missing in the RTP sequence, though no packet is."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LONG_CALLS, LONG_CALLS_WHY, Sin
from tests.bad_gateways.streams import Stream

EVERY = 180
"""Packets."""


class SequenceGap(BaseGateway):
    """Skips a number every 3.6 s."""

    def rtp_packet(self, stream: Stream, payload: bytes) -> bytes:
        if stream.sent % EVERY == EVERY - 1:
            stream.numbers.sequence = (stream.numbers.sequence + 1) % 65536
        return super().rtp_packet(stream, payload)


SIN = Sin(
    gateway=SequenceGap,
    did="whoever counts frames and not packets; the far end conceals a loss that never was",
    row="two-way audio",
    message="rtp-sequence (RFC 3550 5.1): sequence",
    also=LONG_CALLS,
    why=LONG_CALLS_WHY,
)


if __name__ == "__main__":
    serve(SequenceGap)
