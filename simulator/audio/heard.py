"""What one ear got: pieces placed at the time they arrived, and the proof read from them."""

import itertools
from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from simulator.audio import levels
from simulator.audio.pcm import Pcm, resample, samples_in
from simulator.audio.stamps import Stamp, decode

JOIN_S = 0.06
LIMIT_S = 900.0


class Source(Protocol):
    """Anything with a voice of its own."""

    @property
    def identity(self) -> int:
        """The identity in its stamps."""


@dataclass(frozen=True)
class Evidence:
    """Whether only one source was heard; as a condition it is the answer, as text it says why."""

    wanted: int
    """The identity that should be heard."""

    at_least: int
    """How many of its stamps there must be."""

    stamps: tuple[Stamp, ...]
    """All that was found, in order of time."""

    level_dbfs: float
    """How loud the whole recording is: tells silence from wrong audio."""

    @property
    def own(self) -> tuple[Stamp, ...]:
        """The stamps of the wanted source."""
        return tuple(stamp for stamp in self.stamps if stamp.identity == self.wanted)

    @property
    def foreign(self) -> tuple[Stamp, ...]:
        """The stamps of anyone else."""
        return tuple(stamp for stamp in self.stamps if stamp.identity != self.wanted)

    @property
    def in_order(self) -> bool:
        """True when each own sequence number lies ahead of the one before, by the circle of 256."""
        numbers = [stamp.sequence for stamp in self.own]
        return all(0 < (b - a) % 256 < 128 for a, b in itertools.pairwise(numbers))

    def __bool__(self) -> bool:
        return len(self.own) >= self.at_least and not self.foreign and self.in_order

    def __repr__(self) -> str:
        verdict = "heard" if self else "NOT proven to be heard"
        numbers = ", ".join(str(stamp.sequence) for stamp in self.own) or "none"
        parts = [
            f"only identity {self.wanted} {verdict}:",
            f"{len(self.own)} own stamps of at least {self.at_least} (sequence {numbers})",
        ]
        if not self.in_order:
            parts.append("NOT in growing order")
        if self.foreign:
            strangers = (f"identity {s.identity} at {s.at_s:.2f} s" for s in self.foreign[:5])
            parts.append(f"{len(self.foreign)} FOREIGN ({', '.join(strangers)})")
        parts.append(f"level {self.level_dbfs:.1f} dBFS")
        return "; ".join(parts).replace(":;", ":")


class _Piece(NamedTuple):
    """One piece on the timeline."""

    start: int
    """Its first sample, counted from the timeline's zero at the timeline's rate."""

    end: int
    """The first sample after it."""

    pcm: Pcm
    """Its samples."""


class Heard:
    """The timeline of one ear.

    A piece goes right behind the one before when it came early or at most 60 ms late, so that
    jitter chops nothing; else at its arrival time. The newest 900 s are kept, `dropped_s` tells
    what had to go.
    """

    def __init__(self, limit_s: float = LIMIT_S, join_s: float = JOIN_S) -> None:
        self.dropped_s = 0.0
        self._limit_s = limit_s
        self._join_s = join_s
        self._rate = 0
        self._zero_s = 0.0
        self._limit = self._join = 0
        self._pieces: deque[_Piece] = deque()

    def add(self, pcm: Pcm, rate: int, at_s: float, lost_s: float = 0.0) -> None:
        """Place a piece that arrived at `at_s` (loop time).

        `lost_s` is what is known to be missing right before it (RTP timestamps tell): a hole of
        that length is left, so that a lost packet does not pull the rest forward.
        """
        if len(pcm) == 0:
            return
        if not self._rate:
            self._rate, self._zero_s = rate, at_s
            self._limit = samples_in(self._limit_s, rate)
            self._join = samples_in(self._join_s, rate)
        if rate != self._rate:
            pcm = resample(pcm, rate, self._rate)
        start = self._place(at_s, lost_s)
        self._pieces.append(_Piece(start, start + len(pcm), pcm))
        self._trim(start + len(pcm) - self._limit)

    def _place(self, at_s: float, lost_s: float) -> int:
        arrival = samples_in(at_s - self._zero_s, self._rate)
        if not self._pieces:
            return arrival
        expected = self._pieces[-1].end
        if lost_s:
            expected += samples_in(lost_s, self._rate)
        return expected if arrival - expected <= self._join else arrival

    def _trim(self, oldest: int) -> None:
        while len(self._pieces) > 1 and self._pieces[0].start < oldest:
            self.dropped_s += len(self._pieces.popleft().pcm) / self._rate

    @property
    def start_s(self) -> float | None:
        """The loop time of the first sample kept; None when nothing was heard."""
        if not self._pieces:
            return None
        return self._zero_s + self._pieces[0].start / self._rate

    @property
    def end_s(self) -> float | None:
        """The loop time at which the last piece ends; None when nothing was heard."""
        if not self._pieces:
            return None
        return self._zero_s + self._pieces[-1].end / self._rate

    @property
    def duration_s(self) -> float:
        """From the start of the first piece to the end of the last one, holes included."""
        return (self._pieces[-1].end - self._pieces[0].start) / self._rate if self._pieces else 0.0

    @property
    def sounded_s(self) -> float:
        """How long all pieces last together, without the holes; those no longer kept count too."""
        return sum(len(piece.pcm) for piece in self._pieces) / (self._rate or 1) + self.dropped_s

    @property
    def pieces(self) -> int:
        """How many pieces are kept."""
        return len(self._pieces)

    def pcm(self, rate: int, from_s: float | None = None, until_s: float | None = None) -> Pcm:
        """The timeline as one array at `rate`, zeros in the holes.

        From loop time `from_s` (the first sample unless told) until `until_s` (the last one).
        """
        if not self._pieces:
            lasts_s = 0.0 if from_s is None or until_s is None else max(0.0, until_s - from_s)
            return np.zeros(samples_in(lasts_s, rate), dtype=np.int16)
        first = self._pieces[0].start if from_s is None else self._sample(from_s)
        end = self._pieces[-1].end if until_s is None else self._sample(until_s)
        line = np.zeros(max(0, end - first), dtype=np.int16)
        for piece in self._pieces:
            a, b = max(piece.start, first), min(piece.end, end)
            if a < b:
                line[a - first : b - first] = piece.pcm[a - piece.start : b - piece.start]
        return resample(line, self._rate, rate)

    def _sample(self, at_s: float) -> int:
        return samples_in(at_s - self._zero_s, self._rate)

    def stamps(self) -> list[Stamp]:
        """The stamps heard, in order; their `at_s` is loop time."""
        start_s = self.start_s
        if start_s is None:
            return []
        found = decode(self.pcm(self._rate), self._rate)
        return [replace(stamp, at_s=start_s + stamp.at_s) for stamp in found]

    def only_from(self, source: Source, at_least: int) -> Evidence:
        """Proof that this ear heard that source and no one else: true or false, and why."""
        return Evidence(source.identity, at_least, tuple(self.stamps()), self.level_dbfs())

    def level_dbfs(self) -> float:
        """The level of the whole timeline, holes counted as silence."""
        return levels.dbfs(self.pcm(self._rate)) if self._pieces else levels.FLOOR_DBFS

    def speech(self) -> bool:
        """True when there is energy worth calling speech (see levels.speech_heard)."""
        return bool(self._pieces) and levels.speech_heard(self.pcm(self._rate), self._rate)

    def silent(self) -> bool:
        """True when no 20 ms frame reaches -60 dBFS."""
        return not self._pieces or levels.silent(self.pcm(self._rate), self._rate)

    def holes(self) -> list[tuple[float, float]]:
        """Where nothing arrived between two pieces: start and end of each hole, loop time."""
        return [
            (self._zero_s + a.end / self._rate, self._zero_s + b.start / self._rate)
            for a, b in itertools.pairwise(self._pieces)
            if b.start > a.end
        ]

    def longest_gap_s(self) -> float:
        """The longest hole between two pieces: time in which nothing arrived."""
        return max((end - start for start, end in self.holes()), default=0.0)
