"""Every SIP socket of a user agent: which address of ours a peer sees, by which we send to it."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from voicegate.sip.address import Address, Flow
from voicegate.sip.stream import StreamListener, StreamRules, open_stream
from voicegate.sip.udp import Hear, UdpListener, face_towards, open_udp

MAX_KNOWN_PEERS = 1024


class Listener(Protocol):
    """A socket that listens."""

    bound: Address

    def send(self, data: bytes, flow: Flow) -> None: ...
    async def close(self) -> None: ...


class Sockets:
    """All listeners. A peer's messages go out by the one that the peer knows."""

    def __init__(self, counters: Counter[str], rules: StreamRules) -> None:
        self.bound: list[Address] = []
        """Where we listen, in the order of opening; 0.0.0.0 and :: for every address."""
        self._counters = counters
        self._rules = rules
        self._listeners: list[Listener] = []
        self._faces: dict[str, str] = {}

    async def open(self, place: Address, hear: Hear) -> None:
        """Listen there; port 0 takes any free one. OSError if taken."""

        def shown(data: bytes, source: Address, bound: Address) -> None:
            hear(data, source, self._shown(bound, source))

        listener = await self._listen(place, shown)
        self._listeners.append(listener)
        self.bound.append(listener.bound)

    async def _listen(self, place: Address, hear: Hear) -> Listener:
        if not place.is_reliable:
            return await open_udp(place.host, place.port, hear, self._counters)
        try:
            # where any port will do, the number that UDP has: peers name one port for both
            port = place.port or next(bound.port for bound in self.bound if bound.port)
            return await self._stream(place._replace(port=port), hear)
        except (OSError, StopIteration):
            if place.port:
                raise
            return await self._stream(place, hear)

    async def _stream(self, place: Address, hear: Hear) -> StreamListener:
        return await open_stream(place, hear, self._counters, self._rules)

    @property
    def datagrams(self) -> list[UdpListener]:
        """Those for UDP, which can go deaf."""
        return [one for one in self._listeners if isinstance(one, UdpListener)]

    def send(self, data: bytes, flow: Flow) -> None:
        """Send by the listener whose address `flow.local` is."""
        for listener in self._listeners:
            host, port, transport = listener.bound
            if (port, transport) == flow.local[1:] and (host == flow.local.host or _is_any(host)):
                listener.send(data, flow)
                return
        self._counters["dropped_sends"] += 1

    def local_towards(self, peer: Address) -> Address | None:
        """Our address as that peer must see it; None for a transport or family we have not."""
        ours = [
            bound
            for bound in self.bound
            if bound.transport == peer.transport and (":" in bound.host) == (":" in peer.host)
        ]
        shown = [self._shown(bound, peer) for bound in ours]
        face = self._face(peer) if len(shown) > 1 else ""
        return next((each for each in shown if each.host == face), shown[0] if shown else None)

    async def close(self) -> None:
        """Close all of them, and wait until they are closed."""
        for listener in self._listeners:
            await listener.close()

    def _shown(self, bound: Address, peer: Address) -> Address:
        return bound._replace(host=self._face(peer)) if _is_any(bound.host) else bound

    def _face(self, peer: Address) -> str:
        host = self._faces.get(peer.host)
        if host is None:
            host = face_towards(peer, "::1" if ":" in peer.host else "127.0.0.1")
            if len(self._faces) >= MAX_KNOWN_PEERS:
                del self._faces[next(iter(self._faces))]
            self._faces[peer.host] = host
        return host


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")
