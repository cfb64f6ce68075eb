import itertools
import re

import numpy as np
import pytest

from simulator.report.drawing import (
    QUIETEST_TOP,
    WAVE_HEIGHT,
    histogram,
    line_chart,
    percent,
    round_step,
    time_ticks,
    wave_path,
)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+),([\d.-]+)", path)]


def test_a_wave_goes_out_above_and_comes_back_below() -> None:
    envelope = np.array([[0, -8000, 0, 0], [0, 4000, 16000, 0]], dtype=np.int16)

    outline = points(wave_path(envelope, 16000))

    upper, lower = outline[:4], outline[:3:-1]
    assert [x for x, _ in upper] == [x for x, _ in lower] == [0, 250, 500, 750]
    middle = WAVE_HEIGHT / 2
    assert upper[2][1] == 0
    assert upper[1][1] == pytest.approx(middle * 0.75)
    assert lower[1][1] == pytest.approx(middle * 1.5)
    assert upper[0][1] < middle < lower[0][1]


def test_noise_is_not_blown_up_to_speech() -> None:
    noise = np.array([[-10], [10]], dtype=np.int16)

    [(_, top), _] = points(wave_path(noise, 10))

    assert top == pytest.approx(WAVE_HEIGHT / 2 * (1 - 10 / QUIETEST_TOP), abs=0.1)


def test_places_stay_within_the_lane() -> None:
    assert [percent(at, 4.0) for at in (-1.0, 0.0, 1.0, 9.0)] == [0.0, 0.0, 25.0, 100.0]
    assert percent(1.0, 0.0) == 0.0


def test_ticks_are_round_and_cover_the_lane() -> None:
    assert [tick.label for tick in time_ticks(6.0)] == [f"{n} s" for n in range(7)]
    assert [tick.at for tick in time_ticks(2.0)][-1] == 100.0
    assert time_ticks(0.0) == ()
    assert len(time_ticks(900.0)) <= 10


@pytest.mark.parametrize(("rough", "due"), [(0.7, 1), (1.2, 2), (23, 25), (26, 50), (0.0, 1)])
def test_steps_are_round(rough: float, due: float) -> None:
    assert round_step(rough) == due


def test_a_histogram_counts_every_value_once() -> None:
    values = [100.0, 110.0, 820.0, 1490.0, 2900.0]

    picture = histogram(values, 1500.0)

    counts = [int(bar.label.split()[0]) for bar in picture.bars]
    assert sum(counts) == len(values)
    assert [bar.over for bar in picture.bars] == [False] * (len(picture.bars) - 1) + [True]
    assert picture.limit_x is not None
    assert picture.bars[-2].x < picture.limit_x < picture.bars[-1].x
    assert all(bar.x + bar.width <= picture.width for bar in picture.bars)
    assert max(bar.height for bar in picture.bars) == picture.height
    assert all(a.at < b.at for a, b in itertools.pairwise(picture.ticks))


def test_a_histogram_of_nothing_is_empty() -> None:
    picture = histogram([], None)

    assert (picture.bars, picture.limit_x) == ((), None)


def test_a_missing_sample_breaks_the_line_and_is_counted() -> None:
    chart = line_chart([3, 3, None, 4, None])

    assert len(chart.lines) == 2
    assert chart.missing == 2
    assert (chart.first, chart.last, chart.low, chart.high) == (3, 4, 3, 4)
    assert line_chart([None]).lines == ()
    assert line_chart([None]).last is None


def test_more_stands_higher() -> None:
    [line] = line_chart([1, 5, 2]).lines

    first, second, third = (y for _, y in points(line))
    assert second < third < first
