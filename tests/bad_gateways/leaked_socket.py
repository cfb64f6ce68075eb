"""The RTP socket of each call stays open."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LEAK_GATE, LEAK_GATE_WHY, Sin
from tests.bad_gateways.streams import Stream


class LeakedSocket(BaseGateway):
    """Stops to send, and forgets that a socket is to be closed."""

    leaked: tuple[Stream, ...] = ()

    def close_stream(self, call: Call, stream: Stream) -> None:
        stream.halt()
        self.leaked += (stream,)

    async def repent(self) -> None:
        for stream in self.leaked:
            stream.stop()


SIN = Sin(
    gateway=LeakedSocket,
    did="the old agent: a failed call's RTP session stayed and swallowed the next one's sound",
    row="hang-up",
    message="1 sockets left behind: udp 127.0.0.1:",
    also=(*LEAK_GATE, "cancel"),
    why=f"{LEAK_GATE_WHY}; of a cancelled call, too",
)


if __name__ == "__main__":
    serve(LeakedSocket)
