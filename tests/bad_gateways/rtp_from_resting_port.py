"""RTP goes on for a second after the caller's BYE."""

import asyncio

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.streams import Stream


class RtpFromRestingPort(BaseGateway):
    """Gives the port back at once, and lets the model's slow close decide when RTP ends."""

    late: tuple[Stream, ...] = ()

    def close_stream(self, call: Call, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        if call.dialog.state == "over":
            self.give_port_back(stream.address[1], loop.time())
            self.late += (stream,)
            loop.call_later(1.0, self.stop_late)
        else:
            super().close_stream(call, stream)

    def stop_late(self) -> None:
        for stream in self.late:
            stream.stop()
        self.late = ()

    async def repent(self) -> None:
        self.stop_late()


SIN = Sin(
    gateway=RtpFromRestingPort,
    did="whoever stops RTP only when the model's socket has closed",
    row="hang-up",
    message="rtp-after-end (RFC 3261 15): RTP from ... after the end of the call",
    also=("two-way audio", "greeting", "barge-in", "left unsaid", "stale BYE", "rested port"),
    why="there, too, time passes after the caller hung up",
)


if __name__ == "__main__":
    serve(RtpFromRestingPort)
