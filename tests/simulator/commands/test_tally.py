"""Percentiles, exact and in bounded memory."""

import numpy as np
import pytest

from simulator.commands.tally import Histogram, percentile


def test_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (50, 99, 7)
    assert percentile([], 50) is None


def test_the_histogram_agrees_with_the_exact_figures() -> None:
    values = np.random.default_rng(3).gamma(4, 5, 5000)
    histogram = Histogram()
    histogram.add(values[:2000])
    histogram.add(values[2000:])

    for percent in (1, 50, 99, 100):
        exact = percentile(list(values), percent)
        assert histogram.percentile(percent) == pytest.approx(exact, abs=0.11)
    assert histogram.figures()["max"] == pytest.approx(max(values), abs=0.06)


def test_nothing_measured_is_none_and_the_longest_is_kept() -> None:
    histogram = Histogram()
    assert histogram.figures() == {"p50": None, "p99": None, "max": None}
    histogram.add([1e9])
    assert histogram.figures() == {"p50": 5000.0, "p99": 5000.0, "max": 1e9}
