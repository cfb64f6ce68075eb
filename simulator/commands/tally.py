"""Figures over many values, in bounded memory."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

BIN_MS = 0.1
BINS = 50_000
"""Up to 5 s; what is longer counts as 5 s."""


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Give the nearest-rank percentile, rounded to a tenth; None for no values."""
    if not values:
        return None
    rank = math.ceil(len(values) * percent / 100) - 1
    return round(sorted(values)[max(0, rank)], 1)


class Histogram:
    """Milliseconds in steps of a tenth."""

    def __init__(self) -> None:
        self.count = 0
        self.max_ms: float | None = None
        self._bins = np.zeros(BINS + 1, dtype=np.int64)

    def add(self, values_ms: Iterable[float]) -> None:
        """Count them."""
        for value_ms in values_ms:
            self._bins[min(BINS, max(0, round(value_ms / BIN_MS)))] += 1
            self.count += 1
            self.max_ms = max(value_ms, self.max_ms or 0.0)

    def percentile(self, percent: float) -> float | None:
        """Give the nearest-rank percentile in ms; None for no values."""
        if not self.count:
            return None
        rank = max(1, math.ceil(self.count * percent / 100))
        place = int(np.searchsorted(np.cumsum(self._bins), rank))
        return round(place * BIN_MS, 1)

    def figures(self) -> dict[str, float | None]:
        """Give p50, p99 and the largest."""
        largest = None if self.max_ms is None else round(self.max_ms, 1)
        return {"p50": self.percentile(50), "p99": self.percentile(99), "max": largest}
