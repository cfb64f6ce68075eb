"""Timers without a clock: one heap of due times, driven by `now`."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

OnDue = Callable[[float], None]


class Timer:
    """One appointment. Cancelled, it never fires; its place in the heap goes when it is due."""

    __slots__ = ("_on_due", "_order", "due")

    def __init__(self, due: float, order: int, on_due: OnDue) -> None:
        self.due = due
        self._order = order
        self._on_due: OnDue | None = on_due

    def __lt__(self, other: Timer) -> bool:
        return (self.due, self._order) < (other.due, other._order)

    @property
    def cancelled(self) -> bool:
        return self._on_due is None

    def cancel(self) -> None:
        """Harmless twice; lets go of what the timer would have called."""
        self._on_due = None

    def fire(self, now: float) -> None:
        on_due, self._on_due = self._on_due, None
        if on_due is not None:
            on_due(now)


class Timers:
    """All timers of one endpoint, in the order they are due, then in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = count()

    def at(self, due: float, on_due: OnDue) -> Timer:
        """Call `on_due(now)` once `now` has reached `due`."""
        timer = Timer(due, next(self._order), on_due)
        heapq.heappush(self._heap, timer)
        return timer

    def next_due(self) -> float | None:
        """The due time of the first timer that still counts."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].due if self._heap else None

    def fire(self, now: float) -> None:
        """Fire all that is due; what these set themselves waits for its own time."""
        while (due := self.next_due()) is not None and due <= now:
            heapq.heappop(self._heap).fire(now)
