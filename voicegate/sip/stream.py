"""TCP and TLS connections of the shell: who may connect, how many, how long, and how we connect."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from voicegate.sip.address import Address, Flow
from voicegate.sip.framing import IDLE_S, MESSAGE_TIME_S, PONG, Framer
from voicegate.sip.udp import Hear, bound_socket

MAX_CONNECTIONS = 32 if sys.platform == "win32" else 512
"""One process on Windows may watch 512 sockets of all kinds (docs/windows.md, fact 1)."""
SEND_BACKLOG_BYTES = 1 << 18
"""A peer that does not read is let go when so much waits for it."""
CONNECT_TIME_S = 4.0
CLOSE_TIME_S = 1.0


@dataclass(frozen=True)
class Tls:
    """What proves us to others and others to us."""

    server: ssl.SSLContext | None = None
    """With our certificate."""
    client: ssl.SSLContext | None = None
    """With those we trust."""
    names: Mapping[Address, str] = field(default_factory=dict)
    """The name a certificate must bear, for peers that the configuration calls by name."""


NO_TLS = Tls()


@dataclass(frozen=True)
class StreamRules:
    """What the connections of a user agent have in common."""

    allow: Callable[[str], bool]
    """Whether a host is on the allow-list."""
    is_needed: Callable[[Address], bool]
    """Whether the connection to that peer carries a call or a registration."""
    on_lost: Callable[[Address], None]
    """Told that a connection is gone or could not be had."""
    tls: Tls = NO_TLS
    max_strangers: int = 0
    """Connections of hosts that are not on the allow-list but may still know a password."""


class Connection(asyncio.Protocol):
    """One connection, whoever began it."""

    def __init__(self, owner: StreamListener, is_ours: bool = False) -> None:
        self.is_ours = is_ours
        """We began it."""
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(self._loop.time(), awaits_first=not is_ours)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.peer = Address("", 0)
        self.local = Address("", 0)
        self.closed = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        kind = self._owner.bound.transport
        host, port = transport.get_extra_info("peername")[:2]
        self.peer = Address(host, port, kind)
        # as the peer must see us: the port we listen at, not the one we connected from
        host = transport.get_extra_info("sockname")[0]
        self.local = Address(host, self._owner.bound.port, kind)
        if self._owner.admit(self):
            self._arm()
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        for message in self._framer.receive(data, self._loop.time()):
            self._owner.hear(message, self.peer, self.local)
        pings, self._framer.pings = self._framer.pings, 0
        if pings:
            self._owner.counters["keepalives"] += pings
            self.write(PONG)
        if self._framer.is_broken:
            self._owner.counters["broken_streams"] += 1
            self.close()
        self._arm()

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self.closed.set_result(None)
        self._owner.forget(self)

    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._owner.counters["dropped_sends"] += 1
        elif transport.get_write_buffer_size() > SEND_BACKLOG_BYTES:
            self._owner.counters["dropped_sends"] += 1
            transport.abort()
        else:
            transport.write(data)

    def close(self) -> None:
        """Send what waits, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _arm(self) -> None:
        """Have the timer fire when the framer's patience ends, at the latest."""
        due = self._framer.deadline
        if self._transport is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        self._timer = None
        now = max(self._loop.time(), due)
        if now < self._framer.deadline:
            self._arm()
        elif self._framer.is_waiting:
            self._owner.counters["slow_connections"] += 1
            self.abort()
        elif self._owner.rules.is_needed(self.peer):
            self._timer = self._loop.call_at(now + IDLE_S, self._on_timer, now + IDLE_S)
        else:
            self._owner.counters["idle_connections"] += 1
            self.close()


class StreamListener:
    """One bound TCP or TLS socket, the connections it accepted, and those made in its name."""

    def __init__(
        self,
        bound: Address,
        hear: Hear,
        counters: Counter[str],
        rules: StreamRules,
    ) -> None:
        self.bound = bound
        self.hear = hear
        self.counters = counters
        self.rules = rules
        self._server: asyncio.Server | None = None
        self._connections: dict[Address, Connection] = {}
        self._connecting: dict[Address, asyncio.Task[None]] = {}
        self._waiting: dict[Address, list[bytes]] = {}

    async def listen(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        is_tls = self.bound.transport == "tls"
        self._server = await loop.create_server(
            lambda: Connection(self),
            sock=sock,
            ssl=self.rules.tls.server if is_tls else None,
            ssl_handshake_timeout=MESSAGE_TIME_S if is_tls else None,
            ssl_shutdown_timeout=CLOSE_TIME_S if is_tls else None,
        )

    @property
    def connections(self) -> int:
        return len(self._connections)

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for it, and then make it ours."""
        known = connection.is_ours or self.rules.allow(connection.peer.host)
        strangers = sum(not self.rules.allow(peer.host) for peer in self._connections)
        if len(self._connections) >= MAX_CONNECTIONS or not (
            known or strangers < self.rules.max_strangers
        ):
            self.counters["refused_connections"] += 1
            return False
        self._connections[connection.peer] = connection
        return True

    def forget(self, connection: Connection) -> None:
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]
            self.rules.on_lost(connection.peer)

    def send(self, data: bytes, flow: Flow) -> None:
        """By the connection that is open, else by a new one."""
        home = flow.fallback or flow.peer
        connection = self._connections.get(flow.peer) or self._connections.get(home)
        if connection is not None:
            connection.write(data)
        elif home in self._waiting:
            self._waiting[home].append(data)
        else:
            self._waiting[home] = [data]
            task = asyncio.create_task(self._connect(home), name="sip-connect")
            self._connecting[home] = task

    async def _connect(self, peer: Address) -> None:
        loop = asyncio.get_running_loop()
        is_tls = peer.transport == "tls"
        bound = self.bound.host
        try:
            async with asyncio.timeout(CONNECT_TIME_S):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, is_ours=True),
                    peer.host,
                    peer.port,
                    local_addr=None if bound in ("0.0.0.0", "::") else (bound, 0),
                    ssl=self.rules.tls.client if is_tls else None,
                    server_hostname=self.rules.tls.names.get(peer, peer.host) if is_tls else None,
                )
        except OSError:  # TimeoutError and ssl.SSLError are such
            self.counters["failed_connections"] += 1
            dropped = self._waiting.pop(peer)
            self.counters["dropped_sends"] += len(dropped)
            self.rules.on_lost(peer)
        else:
            for data in self._waiting.pop(peer):
                connection.write(data)
        finally:
            self._connecting.pop(peer, None)
            self._waiting.pop(peer, None)

    async def close(self) -> None:
        """Send what waits, close everything, and wait until it is closed."""
        connecting = list(self._connecting.values())
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        connections = list(self._connections.values())
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait([each.closed for each in connections], timeout=CLOSE_TIME_S)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.closed
        if self._server is not None:
            await self._server.wait_closed()


async def open_stream(
    place: Address,
    hear: Hear,
    counters: Counter[str],
    rules: StreamRules,
) -> StreamListener:
    """Bind and listen; port 0 takes any free one."""
    sock = bound_socket(place.host, place.port, socket.SOCK_STREAM)
    bound = Address(*sock.getsockname()[:2])._replace(transport=place.transport)
    listener = StreamListener(bound, hear, counters, rules)
    try:
        await listener.listen(sock)
    except OSError:
        sock.close()
        raise
    return listener
