"""A UDP socket of the shell."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from voicegate.ear import Ear
from voicegate.hearing import Hearing
from voicegate.sip.address import Address, Flow
from voicegate.sip.message import MAX_MESSAGE_BYTES
from voicegate.windows import disable_udp_connreset

RECEIVE_BUFFER_BYTES = 1 << 20
"""Linux gives room for some 256 small datagrams by default: a burst of calls is more."""
SEND_BACKLOG_BYTES = 1 << 20
DEAF_AFTER_S = 5.0
"""So long after an error a socket that hears nothing is replaced: gates resend an INVITE for 32 s,
and a socket that is only quiet loses nothing by it."""

Hear = Callable[[bytes, Address, Address], None]
"""Given a message, its source and the address it was received at."""


def face_towards(peer: Address, otherwise: str) -> str:
    """Our address as a peer sees it: a connected UDP socket tells, without sending a packet.

    `otherwise` where there is no way to that peer.
    """
    family = socket.AF_INET6 if ":" in peer.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer.host, peer.port or 9))
        except OSError:
            return otherwise
        return str(probe.getsockname()[0])


def bound_socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A bound, non-blocking socket. ValueError for a host that is no address (nothing is looked
    up), OSError if taken."""
    six = ipaddress.ip_address(host).version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind)
    try:
        if six:
            # `::` and 0.0.0.0 side by side, and no IPv4 peer in IPv6 clothes
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM and os.name == "posix":
            # else the port is taken for a minute after a restart; on Windows it would mean theft
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind is socket.SOCK_STREAM:
            # what is accepted inherits it; asyncio sets it itself, but not there on Windows
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def open_udp_socket(host: str, port: int) -> socket.socket:
    """A bound UDP socket with room for a burst of calls."""
    sock = bound_socket(host, port, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        disable_udp_connreset(sock)
    except OSError:
        sock.close()
        raise
    return sock


class UdpListener(asyncio.DatagramProtocol):
    """One bound UDP socket: datagrams in, datagrams out."""

    def __init__(self, bound: Address, hear: Hear, counters: Counter[str]) -> None:
        self.bound = bound
        self._hear = hear
        self.counters = counters
        """Those of the user agent: udp_errors, udp_reopened, dropped_sends."""
        self._ear = Ear(Hearing(DEAF_AFTER_S), bound.port)
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None]

    async def listen(self, sock: socket.socket) -> None:
        """Take a bound socket."""
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        # asyncio allocates this much for every datagram; no datagram is longer, no INVITE is cut
        transport.max_size = MAX_MESSAGE_BYTES  # type: ignore[attr-defined]

    async def keep_hearing(self) -> None:
        """Reopen the socket where it has gone deaf: a gate may call, or ask, at any time."""
        await self._ear.keep(self._reopen)

    async def _reopen(self) -> None:
        await self.close()
        await self.listen(open_udp_socket(self.bound.host, self.bound.port))
        self.counters["udp_reopened"] += 1

    def send(self, data: bytes, flow: Flow) -> None:
        transport = self._transport
        if transport is None or _backlog_bytes(transport) > SEND_BACKLOG_BYTES:
            self.counters["dropped_sends"] += 1
        else:
            transport.sendto(data, flow.peer[:2])

    async def close(self) -> None:
        """Close the socket and wait until it is closed."""
        if self._transport is not None:
            self._transport.close()
            await self._closed

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # no isinstance: before 3.12 asyncio's own datagram transports are none by their class
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._ear.heard()
        self._hear(data, Address(addr[0], addr[1]), self.bound)

    def error_received(self, _exc: Exception) -> None:
        """ICMP errors and the like (WinError 10054): counted; the transactions resend anyway."""
        self.counters["udp_errors"] += 1
        self._ear.erred()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._closed.set_result(None)


async def open_udp(host: str, port: int, hear: Hear, counters: Counter[str]) -> UdpListener:
    """Bind and listen; port 0 takes any free one."""
    sock = open_udp_socket(host, port)
    bound = Address(*sock.getsockname()[:2])
    listener = UdpListener(bound, hear, counters)
    await listener.listen(sock)
    return listener


def _backlog_bytes(transport: asyncio.DatagramTransport) -> int:
    """What asyncio holds back because the socket took no more; 0 where it does not say."""
    size: Callable[[], int] = getattr(transport, "get_write_buffer_size", int)
    return size()
