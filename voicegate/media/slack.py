"""How early the last packets came: what the jitter buffer judges its delay by."""

from collections import deque
from typing import NamedTuple

from voicegate.media.codec import FRAME_SAMPLES

WINDOW = 400
"""Packets whose slack is remembered: 8 s at 20 ms."""
LOOK_EVERY = 25
"""Packets between two looks for the median, which is asked for every 20 ms."""
JUDGE_EVERY = 50
"""Frames between two looks at the slack: 1 s."""
_OUTLIERS = 1
"""So many packets of the window may come too late before the delay grows."""
_CALM_S = 8
"""Seconds after a change before the delay is shortened by one frame."""
_SLACK_MIN = 16
"""Samples (2 ms): with less, the delay grows."""
SLACK_SPARE = 80
"""Samples (10 ms) that must remain after the delay was shortened."""
_CATCH_UP = 3 * FRAME_SAMPLES
"""Samples of slack in all of the last second that mean a burst is to be caught up with."""


class Advice(NamedTuple):
    """How the delay should change."""

    frames: int
    """So many more, or less."""
    urgent: bool
    """Whether it should not wait long for a quiet frame."""


class Slacks:
    """The slack of each packet of the window: samples between its coming and its being needed."""

    def __init__(self) -> None:
        self._values: deque[int] = deque(maxlen=WINDOW)
        self._moved = 0
        self._middle: int | None = None
        self._unseen = 0

    def __len__(self) -> int:
        return len(self._values)

    def note(self, samples: int) -> None:
        """Take the slack of the packet that has just come."""
        self._values.append(samples + self._moved)
        self._unseen += 1

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

    def advice(self, depth_max: int, calm_s: int) -> Advice | None:
        """Give the change that is due, `calm_s` after the last one; None for none."""
        if len(self._values) < JUDGE_EVERY // 2:
            return None
        ranked = self.ranked()
        low = ranked[_OUTLIERS]
        recent = self.least_of_last(JUDGE_EVERY)
        if low < _SLACK_MIN:
            room = depth_max - ranked[-1]
            wanted = -(-(_SLACK_MIN - low) // FRAME_SAMPLES)
            return Advice(max(0, min(wanted, room // FRAME_SAMPLES)), urgent=True)
        if recent > _CATCH_UP:
            # What made the delay grow is over: forget it, or it would grow again.
            self.forget_all_but(JUDGE_EVERY)
            return Advice(-((recent - SLACK_SPARE) // FRAME_SAMPLES), urgent=True)
        if calm_s >= _CALM_S and low > FRAME_SAMPLES + SLACK_SPARE:
            return Advice(-1, urgent=False)
        return None

    @property
    def median(self) -> int:
        """Half of the packets came earlier than this; 0 before any has come.

        Looked for anew every `LOOK_EVERY` packets; a move counts at once.
        """
        if self._values and (self._middle is None or self._unseen >= LOOK_EVERY):
            self._middle = sorted(self._values)[len(self._values) // 2]
            self._unseen = 0
        return 0 if self._middle is None else self._middle - self._moved
