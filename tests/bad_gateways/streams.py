"""RTP of the gateways in this folder (RFC 3550): a packet each 20 ms both ways, on one schedule."""

import asyncio
import random
import struct
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tests.bad_gateways.messages import Peer
from tests.bad_gateways.offers import Offer
from tests.bad_gateways.sounds import FRAME, SILENCE, decode

if TYPE_CHECKING:
    from tests.bad_gateways.base import BaseGateway
    from tests.bad_gateways.calls import Call

TICK_S = 0.02
LATE_MAX = 10
QUEUE_FRAMES = 25
AHEAD_FRAMES = 2
"""So many packets are waited for before the caller's sound begins."""


class Ports:
    """Even ports, the one that has rested longest first; none before it has rested."""

    def __init__(self, low: int, high: int) -> None:
        self._given_back: OrderedDict[int, float] = OrderedDict(
            (port, float("-inf")) for port in range(low, high + 1, 2)
        )
        self.rest_s = 5.0
        self.lent = 0

    def lend(self, now: float) -> int:
        """Give a port; LookupError when none has rested."""
        for port, since in self._given_back.items():
            if now - since >= self.rest_s:
                del self._given_back[port]
                self.lent += 1
                return port
        raise LookupError("every RTP port is in use or rests")

    def give_back(self, port: int, now: float) -> None:
        """Let it rest."""
        self._given_back[port] = now
        self.lent -= 1

    def resting(self, now: float) -> int:
        """How many rest."""
        return sum(now - since < self.rest_s for since in self._given_back.values())


@dataclass
class Numbers:
    """What an RTP header counts."""

    ssrc: int
    """Who sends."""
    sequence: int
    """Of the next packet."""
    timestamp: int
    """Of the next packet."""


class Arrivals:
    """The caller's packets in order, one for each tick; a lost one is silence."""

    def __init__(self) -> None:
        self._waiting: dict[int, bytes] = {}
        self._next: int | None = None

    def put(self, sequence: int, payload: bytes) -> None:
        """Take a packet; too old ones and those beyond the bound are dropped."""
        late = self._next is not None and (sequence - self._next) % 65536 >= 32768
        if not late and len(self._waiting) < QUEUE_FRAMES:
            self._waiting[sequence] = payload

    def take(self) -> bytes | None:
        """The packet that is due, or None."""
        if self._next is None:
            if len(self._waiting) < AHEAD_FRAMES:
                return None
            self._next = min(self._waiting, key=lambda s: (s - next(iter(self._waiting))) % 65536)
        if self._next not in self._waiting:
            if not self._waiting:
                return None  # the caller sends nothing: its numbers stand still
            nearest = min(self._waiting, key=lambda s: (s - (self._next or 0)) % 65536)
            far = (nearest - self._next) % 65536 > QUEUE_FRAMES
            self._next = nearest if far else (self._next + 1) % 65536
            return None
        payload = self._waiting.pop(self._next)
        self._next = (self._next + 1) % 65536
        return payload


class Playout:
    """What the caller is still to hear: PCM16 at 8 kHz, bounded by 300 s."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque(maxlen=3000)
        self._rest = b""

    def put(self, pcm16: bytes) -> None:
        """Append."""
        self._pieces.append(pcm16)

    def take(self) -> bytes | None:
        """The next 20 ms, filled up with silence at the end; None when there is nothing."""
        while len(self._rest) < FRAME and self._pieces:
            self._rest += self._pieces.popleft()
        frame, self._rest = self._rest[:FRAME], self._rest[FRAME:]
        return frame.ljust(FRAME, b"\0") if frame else None

    def flush(self) -> None:
        """Forget it all."""
        self._pieces.clear()
        self._rest = b""

    @property
    def empty(self) -> bool:
        """Nothing is left to be heard."""
        return not self._pieces and not self._rest


class Stream(asyncio.DatagramProtocol):
    """One call's RTP socket and its 20 ms beat."""

    def __init__(
        self, gateway: "BaseGateway", call: "Call", offer: Offer, dice: random.Random
    ) -> None:
        self.offer = offer
        self.playout = Playout()
        self.numbers = Numbers(dice.getrandbits(32), dice.getrandbits(16), dice.getrandbits(32))
        self.sent = 0
        self._gateway, self._call = gateway, call
        self._arrivals = Arrivals()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands."""
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.address: Peer = transport.get_extra_info("sockname")[:2]

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: the gateway decides."""
        self._gateway.rtp_error(self, exc)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        """Take audio and keys of the negotiated peer; all else is ignored."""
        if addr[:2] != (self.offer.host, self.offer.port) or len(data) < 12 or data[0] >> 6 != 2:
            return
        start = 12 + 4 * (data[0] & 15)
        payload_type, sequence = data[1] & 127, int.from_bytes(data[2:4])
        if payload_type == self.offer.payload_type:
            self._arrivals.put(sequence, data[start:])
        elif payload_type == self.offer.event:
            self._call.key_pressed(self._loop.time())

    def start(self) -> None:
        """Begin to send: at once, then each 20 ms."""
        self._started_at, self._ticks = self._loop.time(), 0
        self._tick()

    def halt(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop(self) -> None:
        """Send nothing more and close; harmless twice."""
        self.halt()
        self.transport.close()

    def _tick(self) -> None:
        due = int((self._loop.time() - self._started_at) / TICK_S + 1e-6) + 1
        self._ticks = max(self._ticks, due - LATE_MAX)
        while self._ticks < due:
            self._ticks += 1
            self._beat()
        self._timer = self._loop.call_at(self._started_at + self._ticks * TICK_S, self._tick)

    def _beat(self) -> None:
        payload = self._arrivals.take()
        frame = SILENCE if payload is None else decode(self.offer.law, payload)
        self._call.hear(frame, self._loop.time())
        self._gateway.send_frame(self, self.playout.take())
        self._call.beat(self._loop.time())

    def send(self, payload: bytes) -> None:
        """One packet of 160 samples (RFC 3551 4.2)."""
        if self.offer.direction in ("recvonly", "sendrecv") and not self.transport.is_closing():
            packet = self._gateway.rtp_packet(self, payload)
            self.transport.sendto(packet, (self.offer.host, self.offer.port))
            self.numbers.sequence = (self.numbers.sequence + 1) % 65536
            self.numbers.timestamp = (self.numbers.timestamp + 160) % 2**32
            self.sent += 1


def pack(numbers: Numbers, payload_type: int, payload: bytes, *, marker: bool) -> bytes:
    """RFC 3550 5.1."""
    second = payload_type | (128 if marker else 0)
    head = struct.pack("!BBHII", 128, second, numbers.sequence, numbers.timestamp, numbers.ssrc)
    return head + payload
