"""A line to try a MediaSession on: the other end of the call, and what all calls share."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from voicegate.media.clock import Ticker
from voicegate.media.opening import open_media
from voicegate.media.ports import PortPool
from voicegate.media.rtp import RtpPacket, parse_rtp
from voicegate.media.session import MediaSession

HOST = "127.0.0.1"
LOUD = b"\x10\x20" * 160
"""A frame of 0x2010 = 8208, at 8 kHz."""


def offer(port: int, formats: str = "0 8 101", host: str = HOST, more: str = "") -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
    ).encode()


class Caller(asyncio.DatagramProtocol):
    """The other end: notes each packet with the loop time it came at, sends what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[float, RtpPacket]] = []
        self.ssrc, self.sequence, self.timestamp = 0xCA11, 65530, 0xFFFFFF00

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self.got.append((asyncio.get_running_loop().time(), parse_rtp(data)))

    def send(self, media: MediaSession, data: bytes) -> None:
        self.transport.sendto(data, (HOST, port_of(media)))

    def voice(self, media: MediaSession, payload: bytes, kind: int = 0, step: int = 160) -> None:
        """Send the next packet of its stream."""
        packet = RtpPacket(kind, False, self.sequence, self.timestamp, self.ssrc, payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + step) & 0xFFFFFFFF
        self.send(media, packet.serialise())

    @property
    def packets(self) -> list[RtpPacket]:
        return [packet for _, packet in self.got]


def port_of(media: MediaSession) -> int:
    line = next(line for line in media.local_sdp.splitlines() if line.startswith(b"m=audio "))
    return int(line.split()[1])


@asynccontextmanager
async def calling() -> AsyncIterator[Caller]:
    transport, caller = await asyncio.get_running_loop().create_datagram_endpoint(
        Caller, local_addr=(HOST, 0)
    )
    try:
        yield caller
    finally:
        transport.close()
        await asyncio.sleep(0)


class Lab:
    """What all calls share."""

    def __init__(self) -> None:
        self.pool = PortPool((32000, 32098))
        self.ticker = Ticker()
        self.random = random.Random(5)

    def open(self, body: bytes, **changes: Any) -> AbstractAsyncContextManager[MediaSession]:
        terms: dict[str, Any] = {
            "pool": self.pool,
            "ticker": self.ticker,
            "local_host": HOST,
            "bind_host": HOST,
            "codecs": ("PCMU", "PCMA"),
            "signalling_host": HOST,
            "allowed": lambda host: False,
            "random": self.random,
        }
        return open_media(body, **terms | changes)
