"""What a network does to one WebSocket: half-open, slow, cut; and a frame larger than any limit.

It sits between the WebSocket's protocol and its (TLS) transport, and rides on the loop's clock.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

BINARY_FINAL = 0x82
LENGTH_64 = 127
"""RFC 6455 5.2: FIN and the opcode of a binary frame; 127 says that 64 bits of length follow."""
BACKLOG_S = 0.5
"""A slow path takes so much ahead; then the sender's own buffers fill."""


@dataclass(frozen=True)
class Slowness:
    """How slow a path is, each way."""

    octets_per_s: float = float("inf")
    """Its bandwidth."""
    delay_s: float = 0.0
    """Its latency."""

    def __post_init__(self) -> None:
        if self.octets_per_s <= 0 or self.delay_s < 0:
            raise ValueError(f"nothing would ever arrive, or before it was sent: {self}")


class SlowPath:
    """One direction: what is put in comes out in order, later."""

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self.slowness = Slowness()
        self._deliver = deliver
        self._free_at_s = 0.0
        self._last_due_s = 0.0
        self._under_way: deque[tuple[bytes, asyncio.TimerHandle]] = deque()

    @property
    def is_fast(self) -> bool:
        """Whether what is put in now comes out at once."""
        return self.slowness == Slowness() and not self._under_way

    @property
    def behind_s(self) -> float:
        """How long the path is occupied by what was put in."""
        return max(0.0, self._free_at_s - asyncio.get_running_loop().time())

    def put(self, data: bytes) -> None:
        """Send it on its way."""
        loop = asyncio.get_running_loop()
        started_s = max(loop.time(), self._free_at_s)
        self._free_at_s = started_s + len(data) / self.slowness.octets_per_s
        # A path that became faster overtakes nothing.
        self._last_due_s = max(self._last_due_s, self._free_at_s + self.slowness.delay_s)
        self._under_way.append((data, loop.call_at(self._last_due_s, self._arrive)))

    def _arrive(self) -> None:
        # Whichever timer it was: asyncio runs those of one moment in any order.
        data, _ = self._under_way.popleft()
        self._deliver(data)

    def close(self) -> None:
        """Nothing under way arrives any more."""
        for _, timer in self._under_way:
            timer.cancel()
        self._under_way.clear()


def frame_head(octets: int) -> bytes:
    """Give the head of a binary frame of that many octets: a peer with a limit needs no more."""
    return struct.pack("!BBQ", BINARY_FINAL, LENGTH_64, octets)
