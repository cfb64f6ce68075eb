"""The caller's frames on their way to the model: a bounded queue for one listener."""

import asyncio
from collections import deque

FRAMES_MAX = 10
"""Frames that wait to be heard: 200 ms. Beyond them the oldest is dropped."""


class MediaStopped(Exception):
    """The media has ended; there is nothing more to hear."""


class Uplink:
    """Filled by the clock, emptied by whoever listens; nobody listening costs the oldest frame."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.dropped = 0
        """Frames dropped, since nobody took them in time."""
        self._loop = loop
        self._frames: deque[bytes] = deque()
        self._listener: asyncio.Future[None] | None = None
        self._wanted = 1
        self._closed = False

    def put(self, frame: bytes) -> None:
        """Queue a frame."""
        frames = self._frames
        if len(frames) == FRAMES_MAX:
            frames.popleft()
            self.dropped += 1
        frames.append(frame)
        if self._listener is not None and len(frames) >= self._wanted:
            self._wake()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self._wake()

    async def take(self, count: int = 1) -> bytes:
        """Give the next frames in one piece. Raises MediaStopped once closed and empty."""
        if not 1 <= count <= FRAMES_MAX:
            raise ValueError(f"1 to {FRAMES_MAX} frames can be waited for")
        while len(self._frames) < count:
            if self._closed:
                raise MediaStopped
            await self._more(count)
        if count == 1:
            return self._frames.popleft()
        return b"".join([self._frames.popleft() for _ in range(count)])

    async def _more(self, count: int) -> None:
        if self._listener is not None:
            raise RuntimeError("somebody is listening already")
        self._listener, self._wanted = self._loop.create_future(), count
        try:
            await self._listener
        finally:
            self._listener = None

    def _wake(self) -> None:
        if self._listener is not None and not self._listener.done():
            self._listener.set_result(None)
