"""What the model said and the caller has not heard yet."""

from voicegate.media.codec import FRAME_BYTES, SAMPLE_RATE_HZ

_BYTES_PER_MS = 2 * SAMPLE_RATE_HZ // 1000


class Playout:
    """A bounded queue of PCM16 at 8 kHz, filled in pieces of any length, emptied in Frames."""

    def __init__(self, limit_s: float = 300.0) -> None:
        self._limit_bytes = int(limit_s * 1000) * _BYTES_PER_MS
        self._pcm = bytearray()
        self._overflow_bytes = 0

    @property
    def queued_ms(self) -> float:
        """How long what is queued will take to play."""
        return len(self._pcm) / _BYTES_PER_MS

    @property
    def empty(self) -> bool:
        """Whether all of it has been taken or flushed."""
        return not self._pcm

    @property
    def overflow_ms(self) -> float:
        """How much was refused since the start, because the queue was full."""
        return self._overflow_bytes / _BYTES_PER_MS

    def put(self, pcm16: bytes) -> None:
        """Queue a piece; what exceeds the limit is dropped from its end and counted."""
        free = self._limit_bytes - len(self._pcm)
        if len(pcm16) > free:
            self._overflow_bytes += len(pcm16) - free
            pcm16 = pcm16[:free]
        self._pcm += pcm16

    def take(self) -> bytes | None:
        """Give the next Frame, its missing end as silence; None when nothing is queued."""
        pcm = self._pcm
        if not pcm:
            return None
        frame = bytes(pcm[:FRAME_BYTES])
        del pcm[:FRAME_BYTES]
        return frame if len(frame) == FRAME_BYTES else frame.ljust(FRAME_BYTES, b"\0")

    def flush(self) -> float:
        """Drop all that is queued (barge-in); give the milliseconds dropped."""
        dropped_ms = self.queued_ms
        self._pcm.clear()
        return dropped_ms
