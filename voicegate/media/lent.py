"""A lent pair of ports, a socket on each, and what asyncio reports of the one for RTP."""

import asyncio
import ipaddress
import socket
from typing import Protocol

from voicegate.ear import Ear
from voicegate.media.ports import NoPortFree, PortPool
from voicegate.windows import disable_udp_connreset

_RECEIVE_BUFFER = 256 * 1024
_BIND_TRIES_MAX = 20


class LentSocket:
    """Sockets on a port of the pool (RTP) and on the one above (RTCP); all go back together."""

    def __init__(self, pool: PortPool, bind_host: str, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._host = bind_host
        self._open = True
        self.advertised = False
        """Whether a peer may know the port, so that it must rest."""
        self.sock, self.control, self.port = self._bind()

    def close(self) -> None:
        """Close the socket and give the port back. Idempotent."""
        if not self._open:
            return
        self._open = False
        self.sock.close()
        self.control.close()
        if self.advertised:
            self._pool.give_back(self.port, self._loop.time())
        else:
            self._pool.return_unused(self.port)

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed yet."""
        return self._open

    def rebind(self) -> None:
        """Put another socket in the place of the one for RTP. OSError if the system refuses."""
        self.sock.close()
        if not self._open:
            raise OSError("the port has gone back")
        self.sock = _udp_socket(self._host, self.port)

    def _bind(self) -> tuple[socket.socket, socket.socket, int]:
        """Bind the next pair that the system gives us; one it refuses rests like a used one."""
        for _ in range(_BIND_TRIES_MAX):
            port = self._pool.lend(self._loop.time())
            try:
                # RFC 3550 11: RTCP takes the next higher, odd port
                return *_udp_sockets(self._host, port, port + 1), port
            except OSError:
                self._pool.give_back(port, self._loop.time())
        raise NoPortFree(f"the system refused {_BIND_TRIES_MAX} RTP ports in a row")


def _udp_sockets(bind_host: str, port: int, odd: int) -> tuple[socket.socket, socket.socket]:
    """Both or none."""
    sock = _udp_socket(bind_host, port)
    try:
        return sock, _udp_socket(bind_host, odd)
    except OSError:
        sock.close()
        raise


def _udp_socket(bind_host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ipaddress.ip_address(bind_host).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        # Windows lets another program share the port otherwise.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    try:
        disable_udp_connreset(sock)
        sock.bind((bind_host, port))
    except OSError:
        sock.close()
        raise
    return sock


class RtpListener(Protocol):
    """Whoever wants to know what happens on the socket."""

    def receive(self, data: bytes, source: tuple[str | int, ...]) -> None:
        """Take a datagram."""

    def note_blocked(self, paused: bool) -> None:
        """Learn that the system takes no packets for now, or takes them again."""


class RtpProtocol(asyncio.DatagramProtocol):
    """Hands what the socket brings to its listener."""

    def __init__(self, listener: RtpListener, ear: Ear) -> None:
        self._listener = listener
        self._ear = ear
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._ear.heard()
        self._listener.receive(data, addr)

    def error_received(self, _exc: Exception) -> None:
        """ICMP errors and the like (WinError 10054): counted, the call goes on."""
        self._ear.erred()

    def pause_writing(self) -> None:
        self._listener.note_blocked(True)

    def resume_writing(self) -> None:
        self._listener.note_blocked(False)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._listener.note_blocked(False)
        if not self.closed.done():
            self.closed.set_result(None)
