"""The service's TCP port: open, shut for a while, or behind a certificate that nobody trusts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import Server

from simulator.gemini.authority import Authority
from simulator.gemini.connection import ListeningSocket

CLOSING_TICKS_MAX = 1_000

Serve = Callable[[ListeningSocket, Authority | None], Awaitable[Server]]


class Door:
    """Where peers come in. It keeps its port number while it is shut."""

    def __init__(self, host: str, port: int, serve: Serve) -> None:
        """`serve(socket, authority)` takes connections, by TLS where an authority is given."""
        self.port = port
        self._host = host
        self._serve = serve
        self._authority: Authority | None = None

    async def open(self, authority: Authority | None) -> None:
        """Listen; port 0 takes any free one."""
        self._authority = authority
        self._socket = ListeningSocket(self._host, self.port)
        # what is accepted inherits it; asyncio sets it itself, but not there on Windows
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self._socket.getsockname()[1]
        self._server = await self._serve(self._socket, authority)

    def shut(self) -> None:
        """Let nobody in any more; those inside stay."""
        self._server.close(close_connections=False)

    async def emptied(self) -> None:
        """After `shut`: end what is still open, whatever state it is in, and wait for the end."""
        for _ in range(CLOSING_TICKS_MAX):
            self._socket.shut_down_peers()
            await asyncio.sleep(0)
            if not self._socket.open_peers():
                break
        await self._server.wait_closed()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Nobody listens within: who connects is refused. Ends the connections that are up."""
        authority = self._authority
        self.shut()
        await self.emptied()
        try:
            yield
        finally:
            await self.open(authority)

    @asynccontextmanager
    async def showing(self, authority: Authority) -> AsyncIterator[None]:
        """Another certificate is shown within. Ends the connections that are up."""
        async with self.locked():
            await self.open(authority)
            try:
                yield
            finally:
                self.shut()
                await self.emptied()
