"""Geometry of the report's pictures: numbers in, SVG coordinates out; drawn by the template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.report.lane import Envelope

WAVE_WIDTH, WAVE_HEIGHT = 1000, 100
QUIETEST_TOP = 1024
"""The scale of a lane is never finer than this: silence shall look like silence."""

BARS = 24
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    """Where: percent of a time axis, or a coordinate of the picture."""

    label: str
    """What it says."""


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram."""

    x: float
    """Left edge."""

    y: float
    """Top edge."""

    width: float
    """Its width."""

    height: float
    """Its height."""

    over: bool
    """Beyond the limit."""

    label: str
    """What it counts."""


@dataclass(frozen=True)
class Histogram:
    """Bars, an axis and the limit."""

    width: float
    """Of the picture."""

    height: float
    """Of the picture without its axis."""

    bars: tuple[Bar, ...]
    """From left to right, empty ones left out."""

    ticks: tuple[Tick, ...]
    """Of the axis, in ms."""

    limit_x: float | None
    """Where the limit stands; None without one."""


@dataclass(frozen=True)
class LineChart:
    """One figure over the calls."""

    width: float
    """Of the picture."""

    height: float
    """Of the picture."""

    lines: tuple[str, ...]
    """Points of each unbroken stretch."""

    missing: int
    """Samples without a figure."""

    low: float | None
    """The lowest value; None without any."""

    high: float | None
    """The highest."""

    first: float | None
    """The first."""

    last: float | None
    """The last."""


def wave_path(envelope: Envelope, top: int) -> str:
    """The outline of a lane as an SVG path, 1000 by 100, where `top` is full height."""
    low, high = envelope
    middle, scale = WAVE_HEIGHT / 2, WAVE_HEIGHT / 2 / max(top, QUIETEST_TOP)
    step = WAVE_WIDTH / len(high)
    upper = [(i * step, middle - max(float(v) * scale, 0.4)) for i, v in enumerate(high)]
    lower = [(i * step, middle - min(float(v) * scale, -0.4)) for i, v in enumerate(low)]
    points = [f"{x:.0f},{y:.1f}" for x, y in (*upper, *reversed(lower))]
    return "M" + "L".join(points) + "Z"


def percent(at_s: float, duration_s: float) -> float:
    """A time as percent of the lane, within it."""
    if duration_s <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100.0 * at_s / duration_s)), 3)


def time_ticks(duration_s: float, wanted: int = 8) -> tuple[Tick, ...]:
    """Marks at round seconds."""
    if duration_s <= 0:
        return ()
    step = round_step(duration_s / wanted)
    marks = [step * n for n in range(int(duration_s / step) + 1)]
    return tuple(Tick(percent(at, duration_s), f"{at:g} s") for at in marks)


def round_step(rough: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    if rough <= 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(float(round(step * power, 9)) for step in STEPS if step * power >= rough * 0.999)


def histogram(
    values: Sequence[float], limit: float | None, width: float = 360, height: float = 120
) -> Histogram:
    """Response times in ms in bars of equal width from 0 on."""
    highest = max([*values, limit or 0.0, 1.0])
    step = round_step(highest * 1.05 / BARS)
    count = math.floor(highest * 1.02 / step) + 1
    totals = [0] * count
    for value in values:
        totals[min(count - 1, max(0, int(value / step)))] += 1
    most = max([*totals, 1])
    bar = width / count
    bars = [
        Bar(
            x=round(i * bar + 0.5, 2),
            y=round(height - height * total / most, 2),
            width=round(bar - 1, 2),
            height=round(height * total / most, 2),
            over=limit is not None and i * step >= limit,
            label=f"{total} from {i * step:g} to {(i + 1) * step:g} ms",
        )
        for i, total in enumerate(totals)
        if total
    ]
    mark = round_step(step * count / 5)
    ticks = [Tick(round(n * mark / step * bar, 2), f"{n * mark:g}") for n in range(1 + count)]
    inside = tuple(tick for tick in ticks if tick.at <= width)
    return Histogram(
        width, height, tuple(bars), inside, None if limit is None else round(limit / step * bar, 2)
    )


def line_chart(values: Sequence[float | None], width: float = 240, height: float = 60) -> LineChart:
    """Values over the calls, from 0 up; a missing one breaks the line."""
    known = [value for value in values if value is not None]
    top = max([*known, 1.0]) * 1.1
    step = width / max(1, len(values) - 1)
    lines: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{index * step:.1f},{height - height * value / top:.1f}")
    # One point alone is no line: it gets a stroke of its own.
    drawn = [" ".join(line if len(line) > 1 else line * 2) for line in lines if line]
    return LineChart(
        width,
        height,
        tuple(drawn),
        missing=len(values) - len(known),
        low=min(known, default=None),
        high=max(known, default=None),
        first=known[0] if known else None,
        last=known[-1] if known else None,
    )
