"""How early the last packets came: what the jitter buffer judges its delay by."""

from collections import deque

WINDOW = 400
"""Packets whose slack is remembered: 8 s at 20 ms."""


class Slacks:
    """The slack of each packet of the window: samples between its coming and its being needed."""

    def __init__(self) -> None:
        self._values: deque[int] = deque(maxlen=WINDOW)
        self._moved = 0

    def __len__(self) -> int:
        return len(self._values)

    def note(self, samples: int) -> None:
        """Take the slack of the packet that has just come."""
        self._values.append(samples + self._moved)

    def shift(self, samples: int) -> None:
        """Learn that the point of playing has moved: the slacks so far move with it."""
        self._moved += samples

    def ranked(self) -> list[int]:
        """Give all of them, the smallest first."""
        return [value - self._moved for value in sorted(self._values)]

    def least_of_last(self, packets: int) -> int:
        """Give the smallest of the last so many."""
        return min(list(self._values)[-packets:]) - self._moved

    def forget_all_but(self, packets: int) -> None:
        """Keep the last so many only."""
        for _ in range(len(self._values) - packets):
            self._values.popleft()

    @property
    def median(self) -> int:
        """Half of the packets came earlier than this; 0 before any has come."""
        return self.ranked()[len(self._values) // 2] if self._values else 0
