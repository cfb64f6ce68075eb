"""Faults that an ear hears as clicks: clipping, and sound that was cut out.

Both are found in the recording alone; time in which no packet came is `Heard.holes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.audio.levels import amplitude
from simulator.audio.pcm import Pcm, samples_in

# The highest value of A-law is 32256, of u-law 32124; the next lower ones are 31232 and 31100.
RAIL = 32000
RAIL_SAMPLES = 3
"""One sample at the rail is a loud peak; three in a row are a wave that was cut flat."""

MERGE_S = 0.05
# A-law knows no zero: its silence is 8.
SILENT_SAMPLE = 8
DROPOUT_S = (0.01, 0.2)
"""Shorter is a codec's silence between two periods, longer is a pause of the speaker."""

EDGE_S = 0.001
EDGE_DBFS = -32.0
"""Natural sound fades within some milliseconds; sound this loud to its last one was cut."""


@dataclass(frozen=True)
class Span:
    """A stretch of a recording."""

    start_s: float
    """Seconds from the start of the recording."""

    end_s: float
    """The same, of its end."""


def clipped(pcm: Pcm, rate: int) -> tuple[Span, ...]:
    """Where three or more samples in a row stand at the rail; neighbours are joined."""
    wide = pcm.astype(np.int32)
    spans = [
        Span(start / rate, end / rate)
        for sign in (1, -1)
        for start, end in _runs(sign * wide >= RAIL)
        if end - start >= RAIL_SAMPLES
    ]
    return tuple(_joined(sorted(spans, key=lambda span: span.start_s)))


def dropouts(pcm: Pcm, rate: int) -> tuple[Span, ...]:
    """Where sound stops dead and comes back at once: 10 to 200 ms of silence with loud edges."""
    shortest, longest = (samples_in(seconds, rate) for seconds in DROPOUT_S)
    edge, loud = samples_in(EDGE_S, rate), amplitude(EDGE_DBFS)
    return tuple(
        Span(start / rate, end / rate)
        for start, end in _runs(np.abs(pcm.astype(np.int32)) <= SILENT_SAMPLE)
        if shortest <= end - start <= longest
        and _rms(pcm[max(0, start - edge) : start]) > loud
        and _rms(pcm[end : end + edge]) > loud
    )


def _runs(condition: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) of each run of True."""
    bounded = np.concatenate(([False], condition, [False])).astype(np.int8)
    turns = np.flatnonzero(np.diff(bounded))
    for start, end in zip(turns[::2], turns[1::2], strict=True):
        yield int(start), int(end)


def _joined(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is not None and span.start_s - current.end_s <= MERGE_S:
            current = Span(current.start_s, max(current.end_s, span.end_s))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def _rms(pcm: Pcm) -> float:
    return float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64)))) if len(pcm) else 0.0
