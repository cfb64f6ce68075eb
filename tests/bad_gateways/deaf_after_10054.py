"""One ICMP error, and the call's socket hears nothing more."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.sounds import SILENCE
from tests.bad_gateways.streams import Stream


class DeafAfter10054(BaseGateway):
    """Behaves as asyncio's Proactor socket does: its reading ends with the first error."""

    deaf: tuple[Stream, ...] = ()

    def rtp_error(self, stream: Stream, error: Exception) -> None:
        self.deaf += (stream,)

    def caller_spoke(self, call: Call, pcm8: bytes) -> None:
        super().caller_spoke(call, SILENCE if call.stream in self.deaf else pcm8)

    def call_over(self, call: Call) -> None:
        self.deaf = ()


SIN = Sin(
    gateway=DeafAfter10054,
    did="any asyncio program on Windows: WinError 10054 ends a UDP socket's reading",
    row="UDP error",
    message="only identity 1 NOT proven to be heard: 2 own stamps of at least 5",
)


if __name__ == "__main__":
    serve(DeafAfter10054)
