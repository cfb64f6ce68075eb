"""One UDP socket of the gate: SIP as datagrams, every one of them on the tape."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol, cast

from .paths import Paths
from .wire import Address

RECEIVE_BUFFER = 1 << 20
REPORTS_MAX = 100


class Recorder(Protocol):
    """Whoever keeps the packets (`simulator.pcap.Tape`)."""

    def record(
        self, at_s: float, source: tuple[str, int], destination: tuple[str, int], payload: bytes
    ) -> None:
        """Keep one packet."""


class UdpSocket(asyncio.DatagramProtocol):
    """A bound UDP socket that hands datagrams on, records them, and can be waited for to close."""

    def __init__(
        self,
        received: Callable[["UdpSocket", bytes, Address], None],
        tape: Recorder | None,
        sip: Paths | None = None,
        rtcp: socket.socket | None = None,
    ) -> None:
        """`sip`: what is sent and what comes takes their paths of SIP; `rtcp`: the port above."""
        self.errors = 0
        self._leave = sip.sip_out.link(self._send) if sip is not None else None
        self._arrive = sip.sip_in.link(self._hand_on) if sip is not None else None
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._tape = tape
        self._rtcp = rtcp
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.address = Address("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The endpoint stands."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self.address = Address(host, port)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Record and hand on."""
        source = Address(addr[0], addr[1])
        if self._tape is not None:
            self._tape.record(self._loop.time(), source, self.address, data)
        if self._arrive is not None:
            self._arrive(data, source)
        else:
            self._received(self, data, source)

    def _hand_on(self, data: bytes, source: tuple[str, int]) -> None:
        self._received(self, data, Address(*source))

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's signature
        """An ICMP error: the peer's port is closed. Counted; the gate goes on."""
        self.errors += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The endpoint is gone."""
        if self._rtcp is not None:
            self._rtcp.close()
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, data: bytes, destination: tuple[str, int]) -> None:
        """Send one datagram; nothing once closed."""
        if self._leave is not None:
            self._leave(data, destination)
        else:
            self._send(data, destination)

    def _send(self, data: bytes, destination: tuple[str, int]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._tape is not None:
            self._tape.record(self._loop.time(), self.address, destination, data)
        self._transport.sendto(data, destination)

    @property
    def is_open(self) -> bool:
        """Whether it can still send."""
        return self._transport is not None and not self._transport.is_closing()

    def reports(self) -> list[bytes]:
        """What came to the RTCP port since the last look, the first hundred."""
        found: list[bytes] = []
        while self._rtcp is not None and self.is_open and len(found) < REPORTS_MAX:
            try:
                found.append(self._rtcp.recv(1 << 16))
            except OSError:  # nothing more, or ICMP for what we never sent
                break
        return found

    def close(self) -> None:
        """Begin to close; `closed()` waits for the end of it."""
        for link in (self._leave, self._arrive):
            if link is not None:
                link.close()
        if self._transport is not None:
            self._transport.close()

    async def closed(self) -> None:
        """Wait until the file descriptor is gone."""
        if self._transport is not None:
            await asyncio.shield(self._closed)


async def open_udp(
    host: str,
    port: int,
    received: Callable[[UdpSocket, bytes, Address], None],
    tape: Recorder | None,
    *,
    even: bool = False,
    sip: Paths | None = None,
) -> UdpSocket:
    """Bind a UDP socket; with `even` any free even port and the odd one above it.

    RFC 3550 11: RTP on an even port, RTCP on the next one. Without it the gateway's reports would
    reach whatever else of the simulator happens to have that port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound, rtcp = _bind_pair(family, host) if even else (_bind(family, host, port), None)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(
        lambda: UdpSocket(received, tape, sip, rtcp), sock=bound
    )
    return protocol


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot bind UDP {host}:{port}: {error.strerror}") from error
    return bound


def _bind_pair(
    family: socket.AddressFamily, host: str, tries: int = 64
) -> tuple[socket.socket, socket.socket]:
    refused: list[socket.socket] = []
    try:
        for _ in range(tries):
            bound = _bind(family, host, 0)
            port = bound.getsockname()[1]
            if port % 2 == 0:
                with contextlib.suppress(OSError):
                    rtcp = _bind(family, host, port + 1)
                    rtcp.setblocking(False)
                    return bound, rtcp
            refused.append(bound)  # kept, so that the next try gives another port
    finally:
        for other in refused:
            other.close()
    raise OSError(f"no even UDP port with a free one above it on {host} in {tries} tries")
