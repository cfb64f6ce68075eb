"""Memory by slope: bytes that each further call leaves behind.

Never one value against another: a step of 200 KB at the start is normal and means nothing.
"""

import tracemalloc
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import psutil

TRACED_LIMIT = 8 * 1024
RSS_LIMIT = 64 * 1024
FEWEST_SAMPLES = 9


@dataclass(frozen=True)
class MemoryGrowth:
    """What each call left behind; as a condition: True when that is within bounds."""

    traced_bytes: float
    """Bytes a call that Python allocated and nobody freed (tracemalloc)."""

    rss_bytes: float
    """Bytes a call by which the process grew."""

    traced_limit: float = TRACED_LIMIT
    """The most that counts as clean."""

    rss_limit: float = RSS_LIMIT
    """The most that counts as clean."""

    def __bool__(self) -> bool:
        return self.traced_bytes < self.traced_limit and self.rss_bytes < self.rss_limit

    def __repr__(self) -> str:
        return (
            f"{self.traced_bytes:.0f} traced bytes a call (limit {self.traced_limit:.0f}), "
            f"{self.rss_bytes:.0f} bytes of RSS a call (limit {self.rss_limit:.0f})"
        )


class MemoryTrend:
    """Takes one sample after each call; tracing costs time, so it runs only within `with`."""

    def __init__(self) -> None:
        self._traced: list[int] = []
        self._rss: list[int] = []
        self._process = psutil.Process()
        self._started_here = False

    def __enter__(self) -> Self:
        self._started_here = not tracemalloc.is_tracing()
        if self._started_here:
            tracemalloc.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._started_here:
            tracemalloc.stop()

    def sample(self) -> None:
        """After a call, when all has settled."""
        self._traced.append(tracemalloc.get_traced_memory()[0])
        self._rss.append(self._process.memory_info().rss)

    def growth(
        self, traced_limit: float = TRACED_LIMIT, rss_limit: float = RSS_LIMIT
    ) -> MemoryGrowth:
        """The slope over the last two thirds of the samples; ValueError for fewer than nine."""
        if len(self._traced) < FEWEST_SAMPLES:
            raise ValueError(f"{len(self._traced)} samples make no slope: {FEWEST_SAMPLES} do")
        traced, rss = slope(self._traced), slope(self._rss)
        return MemoryGrowth(traced, rss, traced_limit, rss_limit)


def slope(values: list[int]) -> float:
    """Least squares over the last two thirds: units a step."""
    tail = values[len(values) // 3 :]
    return float(np.polyfit(np.arange(len(tail)), tail, 1)[0])
