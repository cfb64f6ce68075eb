"""One 20 ms clock for all calls: absolute deadlines, one timer, no task."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from voicegate.media.codec import FRAME_MS

Tick = Callable[[float], None]
"""Called once per frame with the loop time at which that frame was due."""

Tap = Callable[[bytes, bytes, float], None]
"""Takes the caller's frame, ours, and the loop time at which they were due; it must not wait."""

_SLOTS = 8
"""The clock has so many hands, 2.5 ms apart: calls spread over them, so that no burst of packets
goes out at once, and a new call waits 2.5 ms at most."""
_SLOT_S = FRAME_MS / 1000 / _SLOTS
_FRAMES_MAX = 10
"""Frames made up for after a stall; what was due beyond them is skipped."""
_LATE_S = 0.005
_BOUNDS_S = (0.001, 0.002, 0.005, 0.010, 0.020, 0.050, 0.100)


@dataclass(frozen=True)
class TickerStats:
    """How well the clock kept its time since it was made."""

    rounds: int
    """Deadlines met, early or late."""
    late: int
    """Deadlines met more than 5 ms late."""
    worst_s: float
    """The greatest lateness."""
    skipped: int
    """Frames skipped for each call, since more than 10 were due at once."""
    lateness: tuple[tuple[float, int], ...]
    """(upper bound in seconds, deadlines met up to so late); the last bound is infinite."""


class Ticker:
    """Calls every registered tick each 20 ms while anybody is registered.

    A tick that raises is reported by the loop; the others go on unharmed. Late, all that is due is
    called, so that the mean rate stays 50 a second.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._hands: list[dict[Tick, None]] = [{} for _ in range(_SLOTS)]
        self._due_at = [0] * _SLOTS
        self._origin = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._round: deque[tuple[int, Tick, float]] = deque()
        self._rounds = self._late = self._skipped = 0
        self._worst_s = 0.0
        self._lateness = [0] * (len(_BOUNDS_S) + 1)

    @property
    def registered(self) -> int:
        """How many ticks are called each 20 ms."""
        return sum(len(hand) for hand in self._hands)

    @property
    def running(self) -> bool:
        """Whether a timer is set."""
        return self._timer is not None

    @property
    def late(self) -> int:
        """Deadlines met more than 5 ms late, since the start."""
        return self._late

    def stats(self) -> TickerStats:
        """Give the figures so far."""
        bounds = (*_BOUNDS_S, math.inf)
        return TickerStats(
            rounds=self._rounds,
            late=self._late,
            worst_s=self._worst_s,
            skipped=self._skipped,
            lateness=tuple(zip(bounds, self._lateness, strict=True)),
        )

    def register(self, tick: Tick) -> None:
        """Call `tick` from now on: first in the next turn of the loop, or 2.5 ms later at most.

        Harmless twice.
        """
        if any(tick in hand for hand in self._hands):
            return
        loop = self._loop = self._loop or asyncio.get_running_loop()
        now = loop.time()
        if not self.registered:
            self._origin = now
        count = max(0, math.ceil((now - self._origin) / _SLOT_S))
        # A hand that has just had this turn would come back to it 20 ms from now.
        while self._hands[count % _SLOTS] and self._due_at[count % _SLOTS] > count:
            count += 1
        slot = count % _SLOTS
        if not self._hands[slot]:
            self._due_at[slot] = count
        self._hands[slot][tick] = None
        self._arm()

    def unregister(self, tick: Tick) -> None:
        """Call `tick` no more, not even in the round under way. Harmless twice."""
        for hand in self._hands:
            hand.pop(tick, None)
        if not self.registered:
            self._round.clear()
            self._disarm()

    def _deadline(self, count: int) -> float:
        return self._origin + count * _SLOT_S

    def _arm(self) -> None:
        if self._loop is None or not self.registered:
            return
        first = min(due for due, hand in zip(self._due_at, self._hands, strict=True) if hand)
        deadline = self._armed_for if self._round else self._deadline(first)
        if self._timer is not None:
            if self._armed_for <= deadline:
                return
            self._disarm()
        self._armed_for = deadline
        self._timer = self._loop.call_at(deadline, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        assert self._loop is not None
        self._timer = None
        # A coarse clock fires a timer early: what it was armed for is due all the same.
        now = max(self._loop.time(), self._armed_for)
        for slot, hand in enumerate(self._hands):
            if hand:
                self._collect(slot, hand, now)
        try:
            self._run_round()
        finally:
            # A tick that raised leaves the rest of the round: it goes on in the next turn.
            self._arm()

    def _collect(self, slot: int, hand: dict[Tick, None], now: float) -> None:
        """Queue the ticks of a hand for every frame that is due."""
        deadline = self._deadline(self._due_at[slot])
        if deadline > now:
            return
        self._count(now - deadline)
        frames = 1 + int((now - deadline) * 1000 / FRAME_MS)
        self._skipped += max(0, frames - _FRAMES_MAX)
        for frame in range(max(0, frames - _FRAMES_MAX), frames):
            at = self._deadline(self._due_at[slot] + frame * _SLOTS)
            self._round.extend((slot, tick, at) for tick in hand)
        self._due_at[slot] += frames * _SLOTS

    def _run_round(self) -> None:
        waiting, hands = self._round, self._hands
        while waiting:
            slot, tick, at = waiting.popleft()
            if tick in hands[slot]:
                tick(at)

    def _count(self, late_s: float) -> None:
        self._rounds += 1
        self._late += late_s > _LATE_S
        self._worst_s = max(self._worst_s, late_s)
        for index, bound in enumerate(_BOUNDS_S):
            if late_s <= bound:
                self._lateness[index] += 1
                return
        self._lateness[-1] += 1
