"""What the calls that are over add up to, and what was told on the way: the figures' memory.

Only what happens once is counted along; what *is* (threads, calls, sockets) is never in here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from voicegate.endings import HangupReason
from voicegate.record.record import RECORDING_FAILED
from voicegate.report import CallReport
from voicegate.watchdogs import Alarm

SETUP_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)
RELEASE_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 5)
RESPONSE_S = (0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5)
STOP_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 2)
DURATION_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)
GAP_S = (0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5)
LEVEL_DBFS = (-90, -70, -60, -50, -40, -30, -20, -10)

FAILURES = (HangupReason.FAULT, HangupReason.VOICE_LOST, HangupReason.NO_ACK)
NUMBERED_CALLS = (1, 10, 20, 50)
"""The calls whose sound is kept by number: an old failure was a second call without any."""
RESULTS = ("completed", "failed", "cancelled", "refused")


class Distribution:
    """How often a figure was how great: a histogram as Prometheus wants it."""

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def add(self, figure: float) -> None:
        """Take one figure."""
        place = sum(figure > bound for bound in self.bounds)
        self._counts[place] += 1
        self.sum += figure

    def buckets(self) -> list[tuple[str, float]]:
        """Give each bound with the number of figures up to it."""
        running, found = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self._counts, strict=True):
            running += count
            found.append(("+Inf" if bound == float("inf") else str(float(bound)), float(running)))
        return found


class Tally:
    """Adds up."""

    def __init__(self) -> None:
        self.results = Counter(dict.fromkeys(RESULTS, 0))
        self.reasons = Counter({reason.value: 0 for reason in HangupReason})
        self.media: Counter[str] = Counter()
        """The counters of all media sessions that are over."""
        # from 0 on: a rule on the increase would not see a first alarm that comes from nowhere
        self.alarms = Counter(dict.fromkeys((*Alarm, RECORDING_FAILED), 0))
        self.reconnects = 0
        self.stuck = 0
        self.duration = Distribution(DURATION_S)
        self.setup = Distribution(SETUP_S)
        self.release = Distribution(RELEASE_S)
        self.response = Distribution(RESPONSE_S)
        self.barge_in_stop = Distribution(STOP_S)
        self.rtp_gap = Distribution(GAP_S)
        self.levels = {"in": Distribution(LEVEL_DBFS), "out": Distribution(LEVEL_DBFS)}
        self.numbered: dict[tuple[str, str], float] = {}
        """{(number, direction): level} of the first calls of this process that have a number."""

    def add(self, report: CallReport, levels: Mapping[str, float]) -> None:
        """Take a call that is over; `levels` ({direction: dBFS}) are those of an answered one."""
        self.results[result_of(report)] += 1
        self.reasons[report.reason.value] += 1
        self.media.update(figures(report.media))
        self.duration.add(report.duration_ms / 1000)
        self.release.add(report.release_ms / 1000)
        if report.setup_ms is not None:
            self.setup.add(report.setup_ms / 1000)
            self.rtp_gap.add((report.media or {}).get("max_gap_ms", 0.0) / 1000)
        for response_ms in report.response_ms:
            self.response.add(response_ms / 1000)
        for direction, level_dbfs in levels.items():
            self.levels[direction].add(level_dbfs)
            if report.number in NUMBERED_CALLS:
                self.numbered[str(report.number), direction] = level_dbfs


def result_of(report: CallReport) -> str:
    """Say in one of RESULTS what became of a call."""
    if report.reason in FAILURES:
        return "failed"
    if report.setup_ms is not None:
        return "completed"
    return "cancelled" if report.reason is HangupReason.CALLER_CANCEL else "refused"


def figures(media: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give those of a media session's counters that may be added up."""
    return {name: value for name, value in (media or {}).items() if isinstance(value, int | float)}
