"""The rules for "was it heard", on recordings that hold more silence than speech."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.audio.levels import FRAME_S, SPEECH_FRAME_DBFS, dbfs, frame_levels, speech_heard
from simulator.audio.pcm import Pcm, samples_in
from simulator.audio.stamps import Stamp


@dataclass(frozen=True)
class Span:
    """The part of a recording from its first to its last loud frame."""

    start_s: float
    duration_s: float
    level_dbfs: float
    speech: bool
    """At least 40 % of its frames above -45 dBFS and all of it above -35 dBFS."""

    def __str__(self) -> str:
        return f"{self.duration_s:.2f} s at {self.level_dbfs:.1f} dBFS"


def spoken_span(pcm: Pcm, rate: int, from_s: float = 0.0, to_s: float | None = None) -> Span:
    """Find what was spoken between two points of a recording and judge it by the speech rule."""
    start = samples_in(from_s, rate)
    part = pcm[start : None if to_s is None else samples_in(to_s, rate)]
    loud = np.flatnonzero(frame_levels(part, rate) > SPEECH_FRAME_DBFS)
    if len(loud) == 0:
        return Span(from_s, 0.0, dbfs(part), False)
    frame = samples_in(FRAME_S, rate)
    first, last = int(loud[0]), int(loud[-1]) + 1
    span = part[first * frame : last * frame]
    return Span(
        start_s=from_s + first * FRAME_S,
        duration_s=len(span) / rate,
        level_dbfs=dbfs(span),
        speech=speech_heard(span, rate),
    )


def stamps_start_s(own: Sequence[Stamp], every_s: float) -> float | None:
    """Tell where stamps numbered from 0 begin, though a busy machine may have torn the first.

    None if there are none.
    """
    return own[0].at_s - own[0].sequence * every_s if own else None
