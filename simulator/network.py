"""A bad network as data: seeded loss, jitter, reordering and duplicates, and Windows' deaf sockets.

All of it rides on the loop's own clock, so it holds in virtual time, and the same seed gives the
same faults.
"""

import asyncio
import random
import socket
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Address = tuple[str, int]
Send = Callable[[bytes, Address], None]

PENDING = 10_000
TIE_S, TIE_MAX_S = 1e-9, 1e-4
# WSAECONNRESET on a UDP socket: an earlier datagram met a closed port (ICMP port unreachable).
WSAECONNRESET = 10054
# linux/in.h and linux/socket.h; not in the socket module.
IP_RECVERR = 11
MSG_ERRQUEUE = 0x2000


@dataclass(frozen=True)
class Impairment:
    """What a network does to the datagrams of one direction."""

    loss: float = 0.0
    """The share of datagrams that vanish: 0 to 1."""

    jitter_s: float = 0.0
    """Each datagram is late by a random time up to this."""

    reorder: float = 0.0
    """The share of datagrams held back until others have overtaken them (by `reorder_s`)."""

    duplicate: float = 0.0
    """The share of datagrams that arrive twice."""

    delay_s: float = 0.0
    """Each datagram is late by this, before jitter."""

    reorder_s: float = 0.05
    """How long a reordered datagram is held back: more than two packets of 20 ms."""

    drop: tuple[int, ...] = ()
    """Datagrams that vanish by number, the first one is 0: a flight lost on purpose."""

    seed: int = 0
    """The same seed gives the same fate to the n-th datagram."""

    def __post_init__(self) -> None:
        for name in ("loss", "reorder", "duplicate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share of 0 to 1, not {getattr(self, name)}")
        if min(self.jitter_s, self.delay_s, self.reorder_s) < 0.0:
            raise ValueError("a datagram cannot arrive before it was sent")


class Link:
    """A send function behind a bad network; call it like the plain one.

    Counts: sent, lost, duplicated, reordered, delivered, overflow.
    """

    def __init__(self, send: Send, impairment: Impairment | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._send = send
        self._tie = 0.0
        self._pending: dict[asyncio.TimerHandle, None] = {}
        self._impose(impairment or Impairment())

    def _impose(self, impairment: Impairment) -> None:
        self.impairment = impairment
        self._random = random.Random(impairment.seed)
        self._number = 0

    @contextmanager
    def impaired(self, impairment: Impairment) -> Iterator["Link"]:
        """Another fault for a few lines; what is under way still arrives by its own."""
        before, source, number = self.impairment, self._random, self._number
        self._impose(impairment)
        try:
            yield self
        finally:
            self.impairment, self._random, self._number = before, source, number

    def __call__(self, data: bytes, address: Address) -> None:
        """Send, or lose, or send late."""
        fault, number = self.impairment, self._number
        self._number += 1
        self.counts["sent"] += 1
        # Always the same draws for a datagram, so that one fault does not change the others.
        loss, reorder, duplicate, late, late_again = (self._random.random() for _ in range(5))
        if loss < fault.loss or number in fault.drop:
            self.counts["lost"] += 1
            return
        held_s = 0.0
        if reorder < fault.reorder:
            self.counts["reordered"] += 1
            held_s = fault.reorder_s
        self._deliver(data, address, fault.delay_s + held_s + late * fault.jitter_s)
        if duplicate < fault.duplicate:
            self.counts["duplicated"] += 1
            self._deliver(data, address, fault.delay_s + late_again * fault.jitter_s)

    def _deliver(self, data: bytes, address: Address, after_s: float) -> None:
        if after_s <= 0.0:
            self.counts["delivered"] += 1
            self._send(data, address)
        elif len(self._pending) >= PENDING:
            self.counts["overflow"] += 1
        else:
            self._deliver_later(data, address, after_s)

    def _deliver_later(self, data: bytes, address: Address, after_s: float) -> None:
        def arrive() -> None:
            del self._pending[handle]
            self.counts["delivered"] += 1
            self._send(data, address)

        # asyncio runs timers of one moment in any order: what was sent first must be due first.
        self._tie = (self._tie + TIE_S) % TIE_MAX_S
        handle = asyncio.get_running_loop().call_later(after_s + self._tie, arrive)
        self._pending[handle] = None

    @property
    def under_way(self) -> int:
        """How many datagrams have not arrived yet."""
        return len(self._pending)

    def close(self) -> None:
        """Nothing under way arrives any more; harmless twice."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()


class _ErrorEar(asyncio.DatagramProtocol):
    """Stands before a protocol and turns the kernel's ICMP error into what Windows makes of it."""

    def __init__(self, socket_: "_Socket", protocol: Any) -> None:
        self._socket = socket_
        self._protocol = protocol

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._protocol.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._socket.fail()
        else:
            self._protocol.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


class _Socket:
    """One datagram socket under the fault."""

    def __init__(self, loop: Any, transport: Any, protocol: Any, goes_deaf: bool) -> None:
        self.transport = transport
        # The transport holds it until it is closed; longer nobody must, or its call stays too.
        self._protocol = weakref.ref(protocol)
        self.deaf = False
        self._loop = loop
        self._goes_deaf = goes_deaf
        self._asks_kernel = False

    @property
    def port(self) -> int:
        """Its own port; 0 once it is closed."""
        name = None if self.transport.is_closing() else self.transport.get_extra_info("sockname")
        return int(name[1]) if name else 0

    def hear_icmp(self) -> None:
        """Let the kernel report unreachable ports on this unconnected socket (Linux only)."""
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        self._asks_kernel = True
        self.transport.set_protocol(_ErrorEar(self, self._protocol()))

    def fail(self) -> None:
        """What a Proactor socket does after the error: tells, and reads no more."""
        plain = self.transport._sock
        if self._asks_kernel:
            self._drain_errors(plain)
        if self.deaf:
            return
        if self._goes_deaf:
            self.deaf = True
            # The transport itself does this to stop reading; asyncio has no public way.
            self._loop._remove_reader(plain.fileno())
            if self._asks_kernel:
                plain.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 0)
        if (protocol := self._protocol()) is not None:
            protocol.error_received(
                ConnectionResetError(WSAECONNRESET, "forcibly closed by the remote host")
            )

    @staticmethod
    def _drain_errors(plain: socket.socket) -> None:
        for _ in range(64):
            try:
                plain.recvmsg(1, 512, MSG_ERRQUEUE)
            except OSError:
                return


class WindowsUdp:
    """The sockets under the fault; `trigger()` lets the error strike."""

    def __init__(self) -> None:
        self._sockets: list[_Socket] = []

    def trigger(self, port: int | None = None) -> int:
        """Strike the sockets on that local port, or all; the number of those struck."""
        struck = [s for s in self._sockets if s.port and port in (None, s.port) and not s.deaf]
        for each in struck:
            each.fail()
        return len(struck)

    @property
    def ports(self) -> tuple[int, ...]:
        """The local ports of the open sockets, in order of opening."""
        return tuple(s.port for s in self._sockets if s.port)

    @property
    def deaf_ports(self) -> tuple[int, ...]:
        """The local ports of the open sockets that hear nothing any more."""
        return tuple(s.port for s in self._sockets if s.port and s.deaf)


def _anyone(_protocol: asyncio.BaseProtocol) -> bool:
    return True


@contextmanager
def windows_udp(
    *,
    deaf: bool = True,
    icmp: bool = False,
    affects: Callable[[asyncio.BaseProtocol], bool] = _anyone,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Iterator[WindowsUdp]:
    """Datagram sockets opened within behave as on Windows after WinError 10054.

    The stock Proactor transport calls `error_received` once and then never reads again (deaf); a
    Selector transport goes on (deaf=False). The error strikes at `trigger()`, and with `icmp=True`
    (Linux) whenever the kernel really hears that a port is closed. `affects` picks the sockets by
    their protocol, so that the simulator's own stay whole.
    """
    running: Any = loop or asyncio.get_running_loop()
    original = running.create_datagram_endpoint
    fault = WindowsUdp()

    async def create_datagram_endpoint(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        transport, protocol = await original(*args, **kwargs)
        if affects(protocol):
            opened = _Socket(running, transport, protocol, deaf)
            fault._sockets = [each for each in fault._sockets if each.port] + [opened]
            if icmp:
                opened.hear_icmp()
        return transport, protocol

    running.create_datagram_endpoint = create_datagram_endpoint
    try:
        yield fault
    finally:
        del running.create_datagram_endpoint
