"""The stream changes its SSRC in mid-call."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LONG_CALLS, LONG_CALLS_WHY, Sin
from tests.bad_gateways.streams import Stream

AFTER = 180
"""Packets."""


class WrongSsrc(BaseGateway):
    """Draws a new SSRC after 3.6 s, as for a new stream; gates drop what they do not know."""

    def rtp_packet(self, stream: Stream, payload: bytes) -> bytes:
        if stream.sent == AFTER:
            stream.numbers.ssrc ^= 1
        return super().rtp_packet(stream, payload)


SIN = Sin(
    gateway=WrongSsrc,
    did="whoever makes a new sender for each turn of the model",
    row="two-way audio",
    message="rtp-ssrc (RFC 3550 5.1): SSRC",
    also=LONG_CALLS,
    why=LONG_CALLS_WHY,
)


if __name__ == "__main__":
    serve(WrongSsrc)
