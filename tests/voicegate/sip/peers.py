"""A TCP or TLS peer that speaks literal SIP and shares no code with the gateway."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PATIENCE_S = 5.0


class StreamPeer:
    """One connection: what is written is written as it is, what comes is cut by Content-Length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.port: int = writer.get_extra_info("sockname")[1]

    def send(self, *segments: bytes) -> None:
        for segment in segments:
            self.writer.write(segment)

    async def heard(self) -> bytes:
        """The next message, head and body."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
            return head + await self.reader.readexactly(int(length.partition(b":")[2]))

    async def ended(self) -> bool:
        """Whether the other side closes, without another byte."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def connected(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[StreamPeer]:
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    peer = StreamPeer(reader, writer)
    try:
        yield peer
    finally:
        await peer.close()
