"""What was left of the last call's voice is played to the next caller."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.offers import Offer
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.streams import Playout, Stream


class LastCallsAudio(BaseGateway):
    """Uses a playout buffer again, and nobody has emptied it."""

    used: Playout | None = None

    async def open_stream(self, call: Call, offer: Offer) -> Stream:
        stream = await super().open_stream(call, offer)
        stream.playout, self.used = self.used or stream.playout, None
        return stream

    def close_stream(self, call: Call, stream: Stream) -> None:
        super().close_stream(call, stream)
        self.used = stream.playout


SIN = Sin(
    gateway=LastCallsAudio,
    did="any gateway whose audio queue outlives the call",
    row="left unsaid",
    message="FOREIGN (identity 128",
)

if __name__ == "__main__":
    serve(LastCallsAudio)
