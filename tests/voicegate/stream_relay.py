"""A way over TCP or TLS for the simulated gate, which speaks UDP.

It stands on the same port numbers as the two ends, so that only the transport in each Via has to
be changed on the way.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulator.gate.sip_socket import UdpSocket, open_udp
from simulator.gate.wire import Address
from tests.voicegate.sip.peers import StreamPeer


class StreamRelay:
    """Datagrams of the gate on one side, one connection on the other."""

    def __init__(self, gate: Address, transport: bytes) -> None:
        self.carried = 0
        """Messages of the gateway that came by the connection."""
        self.udp: UdpSocket
        self.peer: asyncio.Future[StreamPeer] = asyncio.get_running_loop().create_future()
        self._gate = gate
        self._over = b"SIP/2.0/" + transport

    def from_gate(self, _socket: UdpSocket, data: bytes, _source: Address) -> None:
        self.peer.result().send(data.replace(b"SIP/2.0/UDP", self._over))

    async def to_gate(self) -> None:
        """Carry what the gateway says, until it says no more."""
        peer = await self.peer
        while not peer.reader.at_eof():
            try:
                data = await peer.heard()
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                continue
            self.carried += 1
            self.udp.send(data.replace(self._over, b"SIP/2.0/UDP"), self._gate)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer.set_result(StreamPeer(reader, writer))


@asynccontextmanager
async def calling_by_stream(
    gate: Address, gateway: tuple[str, int], tls: ssl.SSLContext | None = None
) -> AsyncIterator[StreamRelay]:
    """Carry the gate's calls to a gateway that listens at that port: the gate calls it there."""
    relay = StreamRelay(gate, b"TLS" if tls else b"TCP")
    host, port = gateway
    # from the gate's own port number, so that rport tells it what it expects
    relay.accept(
        *await asyncio.open_connection(host, port, ssl=tls, local_addr=(gate.host, gate.port))
    )
    async with _carried(relay, host, port):
        yield relay


@asynccontextmanager
async def called_by_stream(
    gate: Address, gateway_port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[StreamRelay]:
    """Carry the gateway's own requests: it connects to the gate's port number."""
    relay = StreamRelay(gate, b"TLS" if tls else b"TCP")
    server = await asyncio.start_server(relay.accept, gate.host, gate.port, ssl=tls)
    async with server, _carried(relay, gate.host, gateway_port):
        yield relay


@asynccontextmanager
async def _carried(relay: StreamRelay, host: str, port: int) -> AsyncIterator[None]:
    relay.udp = await open_udp(host, port, relay.from_gate, None)
    task = asyncio.create_task(relay.to_gate(), name="relay")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if relay.peer.done():
            await relay.peer.result().close()
        relay.udp.close()
        await relay.udp.closed()
