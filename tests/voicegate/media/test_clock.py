"""The ticker on a loop whose time the test moves by hand."""

import asyncio
import itertools
import math
from collections.abc import Callable
from typing import Any, cast

import pytest

from voicegate.media.clock import Tick, Ticker


class Handle:
    """A timer of the fake loop."""

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when, self.call, self.cancelled = when, call, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """Only what a ticker uses: `time` and `call_at`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.timers: list[Handle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Handle:
        self.timers.append(Handle(when, call))
        return self.timers[-1]

    def live(self) -> list[Handle]:
        self.timers = [timer for timer in self.timers if not timer.cancelled]
        return self.timers

    def run_until(self, end: float, late: Callable[[float], float] = lambda when: 0.0) -> None:
        """Fire every timer due before `end`, each as late as told."""
        while due := [timer for timer in self.live() if timer.when < end]:
            timer = min(due, key=lambda waiting: waiting.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when + late(timer.when))
            timer.call()
        self.now = max(self.now, end)


def clock() -> tuple[FakeLoop, Ticker]:
    loop = FakeLoop()
    return loop, Ticker(cast("asyncio.AbstractEventLoop", loop))


def recorder(loop: FakeLoop) -> tuple[list[float], Tick]:
    seen: list[float] = []
    return seen, lambda at: seen.append(at)


def test_the_first_tick_comes_at_once_and_then_one_each_20_ms_for_ever() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    ticker.register(tick)
    assert seen == []
    loop.run_until(1600.0)
    assert seen[0] == 1000.0
    assert len(seen) == 30000
    assert all(at == pytest.approx(1000 + n * 0.02, abs=1e-9) for n, at in enumerate(seen))


def test_another_call_waits_2_5_ms_at_most_and_keeps_its_own_exact_beat() -> None:
    loop, ticker = clock()
    all_seen = []
    for n in range(40):
        loop.run_until(1000 + n * 0.0137)
        seen, tick = recorder(loop)
        all_seen.append((loop.now, seen))
        ticker.register(tick)
        assert len(loop.live()) == 1
    loop.run_until(1002.0)
    for registered, seen in all_seen:
        assert 0 <= seen[0] - registered <= 0.0025 + 1e-9
        gaps = [b - a for a, b in itertools.pairwise(seen)]
        assert min(gaps) == pytest.approx(0.02, abs=1e-9)
        assert max(gaps) == pytest.approx(0.02, abs=1e-9)
    assert ticker.registered == 40


def test_calls_that_start_together_do_not_wait_20_ms() -> None:
    loop, ticker = clock()
    first, tick = recorder(loop)
    second: list[float] = []

    def tick_and_register(at: float) -> None:
        tick(at)
        if at == 1000.0:
            ticker.register(second.append)

    ticker.register(tick_and_register)
    loop.run_until(1000.05)
    assert second[0] == pytest.approx(1000.0025)
    assert len(first) == 3


def test_it_runs_only_while_somebody_is_registered() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    assert not ticker.running
    ticker.register(tick)
    assert ticker.running
    loop.run_until(1000.1)
    ticker.register(tick)
    assert ticker.registered == 1
    ticker.unregister(tick)
    ticker.unregister(tick)
    assert not ticker.running
    assert loop.live() == []
    loop.run_until(1001.0)
    assert len(seen) == 5
    ticker.register(tick)
    loop.run_until(1001.01)
    assert seen[5:] == [1001.0]


def test_late_it_makes_up_for_all_that_is_due() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    ticker.register(tick)
    loop.run_until(1010.0, late=lambda when: 0.09 if 1003 < when < 1003.03 else 0.0)
    assert len(seen) == 500
    assert seen == sorted(seen)
    stats = ticker.stats()
    assert stats.skipped == 0
    assert stats.worst_s == pytest.approx(0.09)
    assert stats.late == ticker.late > 0


def test_by_a_clock_that_steps_15_6_ms_the_mean_is_fifty_packets_a_second() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    ticker.register(tick)
    step_s = 1 / 64
    for step in range(640):
        loop.now = 1000 + step * step_s
        before = len(seen)
        # a loop takes timers that are due within the resolution of its clock for due
        while due := [timer for timer in loop.live() if timer.when < loop.now + step_s]:
            loop.timers.remove(due[0])
            due[0].call()
        assert len(seen) - before <= 2
    assert len(seen) in (500, 501)
    assert all(math.isclose(b - a, 0.02, abs_tol=1e-6) for a, b in itertools.pairwise(seen))
    assert ticker.stats().skipped == 0


def test_after_a_long_stall_only_ten_frames_are_made_up_for() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    ticker.register(tick)
    loop.run_until(1001.0)
    before = len(seen)
    loop.now = 1002.01
    loop.run_until(1002.011)
    assert len(seen) - before == 10
    assert seen[-1] == pytest.approx(1002.0)
    assert ticker.stats().skipped == 41
    loop.run_until(1003.0)
    assert seen[-1] == pytest.approx(1002.98)


def test_a_clock_that_fires_early_still_ticks_once_a_deadline() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)
    ticker.register(tick)
    for _ in range(50):
        (timer,) = loop.live()
        loop.timers.clear()
        loop.now = timer.when - 0.012
        timer.call()
    assert len(seen) == 50
    assert seen[-1] == pytest.approx(1000.98)


def test_a_tick_that_ends_another_call_ends_it_at_once() -> None:
    loop, ticker = clock()
    seen: list[float] = []

    def victim(at: float) -> None:
        seen.append(at)

    def killer(at: float) -> None:
        ticker.unregister(victim)

    ticker.register(killer)
    ticker.register(victim)
    loop.run_until(1000.1)
    assert seen == []
    assert ticker.registered == 1


def test_a_tick_that_raises_harms_no_other() -> None:
    loop, ticker = clock()
    seen, tick = recorder(loop)

    def broken(at: float) -> None:
        raise ZeroDivisionError

    ticker.register(broken)
    ticker.register(tick)
    raised = 0
    for _ in range(40):
        try:
            loop.run_until(1000.2)
        except ZeroDivisionError:
            raised += 1
    assert raised == 10
    assert len(seen) == 10


def test_figures_are_bounded_and_add_up() -> None:
    loop, ticker = clock()
    _, tick = recorder(loop)
    ticker.register(tick)
    loop.run_until(1002.0, late=lambda when: 0.003)
    stats = ticker.stats()
    assert sum(count for _, count in stats.lateness) == stats.rounds
    assert dict(stats.lateness)[0.005] == stats.rounds
    assert stats.lateness[-1][0] == math.inf


async def test_on_a_real_loop() -> None:
    ticker, seen = Ticker(), []
    done = asyncio.Event()

    def tick(at: float) -> None:
        seen.append(at)
        if len(seen) == 5:
            ticker.unregister(tick)
            done.set()

    ticker.register(tick)
    await asyncio.wait_for(done.wait(), 5)
    gaps: list[Any] = [b - a for a, b in itertools.pairwise(seen)]
    assert gaps == [pytest.approx(0.02, abs=1e-9)] * 4
    assert not ticker.running
