"""TCP and WebSocket beneath a conversation: sockets that can be found again, faults on demand."""

import asyncio
import socket
import weakref
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from simulator.gemini.wire import BACKLOG_S, Slowness, SlowPath, frame_head


class ListeningSocket(socket.socket):
    """Remembers what it accepted.

    A peer that stops within the TLS handshake is known to no server object: only its socket can
    be shut down, and must be, or it outlives the fake.
    """

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio switches Nagle off only where the protocol is named: without it small frames
        # wait for a delayed ACK, which no virtual clock can see.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._accepted: list[weakref.ref[socket.socket]] = []
        # On Windows this option would let a second server take the same port.
        if hasattr(socket, "SO_REUSEPORT"):
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.bind((host, port))
        except OSError:
            self.close()
            raise

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept as any socket does."""
        accepted, address = super().accept()
        self._accepted = [weakref.ref(one) for one in self.open_peers()]
        self._accepted.append(weakref.ref(accepted))
        return accepted, address

    def open_peers(self) -> list[socket.socket]:
        """Give the accepted sockets that are still open, oldest first."""
        alive = [one for ref in self._accepted if (one := ref()) is not None]
        return [one for one in alive if one.fileno() != -1]

    def shut_down_peers(self) -> None:
        """End what is still open, whatever state it is in."""
        for peer in self.open_peers():
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                # Not connected any more: the loop is about to see it.
                continue


class Connection(ServerConnection):
    """A server connection on a network that can be made bad; its pongs can be held back (F13)."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._half_open = False
        self._out = SlowPath(self._write)
        self._in = SlowPath(self._take)
        self._resume: asyncio.TimerHandle | None = None
        self._pong_delay_s: float | None = 0.0
        self._late_pongs: list[asyncio.TimerHandle] = []
        self._send_frame = self.protocol.send_frame
        # The protocol core answers pings by itself; this is the only door to its answer.
        self.protocol.send_frame = self._filter  # type: ignore[method-assign]

    def delay_pongs(self, delay_s: float | None) -> None:
        """Answer pings so late from now on; None: never."""
        self._pong_delay_s = delay_s

    # A bad network

    def half_open(self, is_so: bool = True) -> None:
        """Neither packets nor a FIN pass from now on, in either direction; False mends it."""
        self._half_open = is_so
        if is_so:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
            self.send_data()

    def slow(self, octets_per_s: float = float("inf"), delay_s: float = 0.0) -> None:
        """Bandwidth and latency of each direction from now on; without arguments it is fast."""
        self._out.slowness = self._in.slowness = Slowness(octets_per_s, delay_s)

    def oversize(self, octets: int) -> None:
        """Begin a frame of that many octets. Nothing else can be sent behind it."""
        self.transport.write(frame_head(octets))

    def send_data(self) -> None:
        """Write what the protocol has to say, as far as the network lets it."""
        if self._half_open:
            return
        if self._out.is_fast:
            super().send_data()
            return
        for data in self.protocol.data_to_send():
            self._out.put(data)

    def data_received(self, data: bytes) -> None:
        """Take what came, when it has come through."""
        if self._in.is_fast:
            super().data_received(data)
            return
        self._in.put(data)
        if self._in.behind_s > BACKLOG_S and self._resume is None:
            self.transport.pause_reading()
            self._resume = self.loop.call_later(self._in.behind_s - BACKLOG_S, self._read_on)

    def _read_on(self) -> None:
        self._resume = None
        if not self._half_open:
            self.transport.resume_reading()

    def _write(self, data: bytes) -> None:
        if data:
            self.transport.write(data)
        else:
            self.transport.close()  # so does websockets where TLS knows no half-close

    def _take(self, data: bytes) -> None:
        super().data_received(data)

    # Pongs

    def _filter(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG or self._pong_delay_s == 0.0:
            self._send_frame(frame)
        elif self._pong_delay_s is not None:
            timer = self.loop.call_later(self._pong_delay_s, self._pong, frame)
            self._late_pongs = [*self._late_pongs[-15:], timer]

    def _pong(self, frame: Frame) -> None:
        if self.protocol.state is State.OPEN:
            self._send_frame(frame)
            self.send_data()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what is still due."""
        for timer in (*self._late_pongs, *([self._resume] if self._resume else ())):
            timer.cancel()
        self._out.close()
        self._in.close()
        super().connection_lost(exc)
