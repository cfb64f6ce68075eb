"""A buffer kept by each call is seen in the slope; a step at the start is not."""

import tracemalloc

import pytest

from simulator.witness.memory import MemoryGrowth, MemoryTrend, slope


def calls(kept_each: int, kept_once: int = 0) -> MemoryGrowth:
    """30 calls that each leave that much behind, after one that left more."""
    kept = []
    with MemoryTrend() as trend:
        for n in range(30):
            kept.append(bytearray(kept_each + (kept_once if n == 3 else 0)))
            trend.sample()
        return trend.growth()


def test_a_buffer_kept_by_each_call_is_a_leak() -> None:
    growth = calls(kept_each=64_000)

    assert not growth
    assert growth.traced_bytes == pytest.approx(64_000, rel=0.05)
    assert "traced bytes a call (limit 8192)" in repr(growth)


def test_a_clean_run_and_one_large_step_are_none() -> None:
    assert calls(kept_each=0)
    assert calls(kept_each=0, kept_once=250_000)


def test_growth_of_the_process_alone_counts_too() -> None:
    assert not MemoryGrowth(traced_bytes=0.0, rss_bytes=100_000.0)
    assert MemoryGrowth(traced_bytes=0.0, rss_bytes=60_000.0)


def test_a_few_samples_make_no_slope() -> None:
    with MemoryTrend() as trend:
        trend.sample()
        with pytest.raises(ValueError, match="make no slope"):
            trend.growth()


def test_the_slope_looks_at_the_last_two_thirds() -> None:
    assert slope([0, 900, 1000, 1001, 1002, 1003, 1004, 1005, 1006]) == pytest.approx(1.0)


def test_tracing_ends_with_the_block_that_began_it() -> None:
    with MemoryTrend():
        with MemoryTrend():
            assert tracemalloc.is_tracing()
        assert tracemalloc.is_tracing()
    assert not tracemalloc.is_tracing()
