"""Both sides of a call on one timeline, each frame at the time it was on the wire."""

from dataclasses import dataclass

from voicegate.record.wav import RATE_HZ

HELD_BACK_S = 0.6
"""The caller's frames are laid so far back at most: longer than the jitter buffer ever holds."""
_HELD_BACK = round(HELD_BACK_S * RATE_HZ)
_STEP = RATE_HZ // 100
"""The caller's next frame is moved when it belongs 10 ms elsewhere: jitter must not chop it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the timeline."""

    at: int
    """Its first sample."""
    left: bytes
    """The caller, PCM16."""
    right: bytes
    """The gateway, PCM16, as long as `left`."""


class Tape:
    """Takes the frames of each tick; gives stretches one behind the other.

    The caller's frame of a tick came some time before it: it is laid back by that delay, or the
    answer to a question would seem to come too soon. Where a frame is missing there is silence.
    """

    def __init__(self) -> None:
        self._begun_at = 0.0
        self._taken = 0
        self._end = 0
        self._left, self._right = bytearray(), bytearray()
        self._left_end: int | None = None

    def add(self, heard: bytes, said: bytes, now: float, delay_s: float) -> None:
        """Take the frames that were due at `now`; `heard` came `delay_s` before."""
        if not self._end:
            self._begun_at = now
        at = round((now - self._begun_at) * RATE_HZ)
        self._end = at + len(said) // 2
        self._lay(self._right, at, said)
        self._lay(self._left, self._place(at - round(delay_s * RATE_HZ)), heard)
        assert self._left_end is not None
        self._left_end += len(heard) // 2

    def take(self, *, all_of_it: bool = False) -> Stretch | None:
        """Give what nothing will be added to; None where there is nothing."""
        until = self._end if all_of_it else self._end - _HELD_BACK
        size = (until - self._taken) * 2
        if size <= 0:
            return None
        stretch = Stretch(self._taken, _cut(self._left, size), _cut(self._right, size))
        self._taken = until
        return stretch

    def _place(self, at: int) -> int:
        """Say where the caller's frame goes: behind the one before, unless it is far from there."""
        if self._left_end is None or abs(at - self._left_end) > _STEP:
            self._left_end = at
        return self._left_end

    def _lay(self, side: bytearray, at: int, pcm16: bytes) -> None:
        start = (at - self._taken) * 2
        if start < 0:
            pcm16, start = pcm16[-start:], 0
        if len(side) < start:
            side.extend(bytes(start - len(side)))
        side[start : start + len(pcm16)] = pcm16


def _cut(side: bytearray, size: int) -> bytes:
    """Take so many bytes from the front, silence where there are fewer."""
    taken = bytes(side[:size]).ljust(size, b"\0")
    del side[:size]
    return taken
