"""The one writer of a connection: frames leave in the order in which they were put."""

import asyncio
from collections import deque
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.gemini.faults import cut_reason

FRAMES_MAX = 4_096
ABNORMAL = 1006
"""RFC 6455 7.4.1: says that no close frame came, and so is never sent."""


class Outbox:
    """Frames to send. `put` and `close` never wait, so a verdict is never late."""

    def __init__(
        self, ws: ServerConnection, sent: Callable[[bytes | str, str], None], grace_s: float
    ) -> None:
        self.dropped = 0
        self.closing = False
        self._ws = ws
        self._sent = sent
        self._grace_s = grace_s
        self._frames: deque[tuple[bytes | str, str]] = deque()
        self._goodbye: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._stalled_until_s = 0.0
        self._abort_timer: asyncio.TimerHandle | None = None

    def put(self, data: bytes | str, kind: str) -> None:
        """Queue a frame; dropped and counted once closing or full (a peer that never reads)."""
        if self.closing or len(self._frames) >= FRAMES_MAX:
            self.dropped += 1
            return
        self._frames.append((data, kind))
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued; aborted where the peer takes no part in it."""
        if self.closing:
            return
        if code == ABNORMAL:
            self.abort()
            return
        self.closing = True
        self._goodbye = (code, cut_reason(reason))
        self._wake.set()
        # A peer that reads nothing holds up even the close frame.
        loop = asyncio.get_running_loop()
        self._abort_timer = loop.call_later(2 * self._grace_s, self._ws.transport.abort)

    def abort(self) -> None:
        """Cut the TCP connection without a word."""
        self.closing = True
        self._ws.transport.abort()

    def stall(self, seconds: float) -> None:
        """Hold everything back for a while, as a slow network does."""
        now = asyncio.get_running_loop().time()
        self._stalled_until_s = max(self._stalled_until_s, now + seconds)

    def release(self) -> None:
        """Stop the timer; the connection is gone."""
        self.closing = True
        if self._abort_timer is not None:
            self._abort_timer.cancel()

    async def drain(self) -> None:
        """Send what comes until the connection is closed."""
        try:
            while self._goodbye is None or self._frames:
                await self._wait()
                if self._frames:
                    data, kind = self._frames.popleft()
                    self._sent(data, kind)
                    await self._ws.send(data)
            await self._ws.close(*self._goodbye)
        except ConnectionClosed:
            self.closing = True

    async def _wait(self) -> None:
        while not self._frames and self._goodbye is None:
            self._wake.clear()
            await self._wake.wait()
        now = asyncio.get_running_loop().time()
        while now < self._stalled_until_s:
            await asyncio.sleep(self._stalled_until_s - now)
            now = asyncio.get_running_loop().time()
