"""The figures that the benchmarks print."""

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from ci.bench.figures import (
    Loss,
    Pace,
    Row,
    SetUp,
    load_table,
    loss_of,
    median,
    pace_of,
    percentile,
    setup_table,
)

ROW = Row(
    voice="echo",
    calls=50,
    cpu_ms=4.0,
    peer_cpu_ms=0.0,
    caller_cpu_ms=1.0,
    core_part=0.2,
    idle_part=0.0,
    pace=Pace(20.0, 21.0, 1.0, 22.5),
    loss=Loss(100, 3),
    sound_part=0.9,
    caller_late_ms=1.2,
    rss_kb=80.0,
    descriptors=1.0,
)


def shown(table: object) -> str:
    console = Console(file=io.StringIO(), width=250)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_was_measured(part: float, value: float) -> None:
    values = [float(one) for one in range(100, 0, -1)]

    assert percentile(values, part) == value


def test_no_values_have_no_percentile_and_no_median() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(median([]))


def test_the_pace_is_judged_within_each_call() -> None:
    even = [index * 0.02 for index in range(101)]
    late_once = [1000 + at + (0.005 if index == 50 else 0.0) for index, at in enumerate(even)]

    pace = pace_of([even, late_once])

    assert pace.p50_ms == pytest.approx(20.0)
    assert pace.worst_ms == pytest.approx(25.0)  # and no gap of 1000 s between the two calls
    assert pace.jitter_p99_ms == pytest.approx(0.0, abs=1e-6)  # 2 of 200
    assert pace_of([late_once]).jitter_p99_ms == pytest.approx(5.0)  # 2 of 100


def test_missing_packets_are_counted_over_the_wrap() -> None:
    assert loss_of([[65534, 65535, 0, 1]]) == Loss(received=4, missing=0)
    assert loss_of([[65534, 1], [7, 8, 10]]) == Loss(received=5, missing=3)
    assert loss_of([[]]) == Loss(received=0, missing=0)


def test_the_ratio_leaves_out_what_an_idle_program_uses() -> None:
    yardstick = replace(ROW, voice="sipp", cpu_ms=1.0, idle_part=0.025)

    assert yardstick.net_cpu_ms == pytest.approx(0.5)
    assert " 8.0 " in shown(load_table([yardstick, ROW]))


def test_few_calls_or_no_yardstick_give_no_ratio() -> None:
    few = replace(ROW, calls=10)
    yardstick = replace(few, voice="sipp", cpu_ms=0.5)

    for table in (load_table([ROW]), load_table([yardstick, few])):
        assert " 8.0 " not in shown(table)


def test_the_tables_hold_what_was_measured() -> None:
    set_up = SetUp("gemini", 27.3, -0.1, 21.0, 20.5, 7.44, 60.68, 0.6, 1.21, 30)

    loads, set_ups = shown(load_table([ROW])), shown(setup_table([set_up]))

    for figure in ("echo", "4.00", "20%", "21.00", "22.5", "3/100", "90%", "80"):
        assert figure in loads
    for figure in ("gemini", "27.3", "-0.1", "+21", "7.44", "60.68", "1.21"):
        assert figure in set_ups
