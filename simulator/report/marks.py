"""A lane of the page: the outline of its sound, and the marks where something is to be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.audio.stamps import STAMP_S
from simulator.report.call import CallEvidence
from simulator.report.drawing import QUIETEST_TOP, percent, wave_path
from simulator.report.lane import FaultKind, Lane, StampSeen

NARROWEST = 0.6
LABEL_WIDTH = 9.0
"""Percent of a lane that the label of a pin takes, roughly."""


@dataclass(frozen=True)
class Mark:
    """Something at a place of a lane."""

    left: float
    """Where it begins, percent of the lane."""

    width: float
    """Its length, percent of the lane."""

    kind: str
    """stamp, late, lost, response, or bad for what gets a red pin."""

    label: str
    """What stands on it."""

    text: str
    """What it is, in full."""

    row: int = 0
    """1 where the label must make room for that of a neighbour."""


@dataclass(frozen=True)
class LaneView:
    """One lane as it is drawn."""

    speaker: str
    """caller or gateway."""

    title: str
    """Who is heard here."""

    path: str
    """The outline of the wave."""

    summary: str
    """Level and stamps, in words."""

    marks: tuple[Mark, ...]
    """From left to right."""


def lane_view(call: CallEvidence, lane: Lane, top: int) -> LaneView:
    """A lane in words and coordinates; both lanes of a call share the scale `top`."""
    title = "caller says" if lane.speaker == "caller" else "caller hears the gateway"
    marks = _spread(sorted(_marks(call, lane), key=lambda mark: mark.left))
    return LaneView(
        speaker=lane.speaker,
        title=title,
        path=wave_path(lane.envelope, max(top, QUIETEST_TOP)),
        summary=lane_summary(lane),
        marks=tuple(marks),
    )


def _spread(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Red pins close to each other take turns in two rows."""
    last, row = -LABEL_WIDTH, 0
    for mark in marks:
        if mark.kind == "bad":
            row = 1 - row if mark.left - last < LABEL_WIDTH else 0
            last = mark.left
            yield replace(mark, row=row)
        else:
            yield mark


def lane_summary(lane: Lane) -> str:
    """Level, stamps and faults in one line."""
    parts = ["no sound" if lane.level_dbfs is None else f"{lane.level_dbfs:.1f} dBFS"]
    own = [stamp for stamp in lane.stamps if not stamp.foreign]
    said = sum(stamp.said_at_s is not None for stamp in own)
    heard = sum(stamp.heard_at_s is not None for stamp in own)
    if own:
        parts.append(f"{heard} of {said} stamps heard" if said else f"{heard} stamps heard")
    latencies = [stamp.latency_ms for stamp in own if stamp.latency_ms is not None]
    if latencies:
        parts.append(f"mouth to ear {np.median(latencies):.0f} ms")
    if len(lane.stamps) > len(own):
        foreign = len(lane.stamps) - len(own)
        parts.append(f"{foreign} foreign stamps" if foreign > 1 else "1 foreign stamp")
    for kind in FaultKind:
        count = sum(fault.kind is kind for fault in lane.faults)
        if count:
            parts.append(f"{kind} {count} times" if count > 1 else f"1 {kind}")
    if lane.faults_dropped:
        parts.append(f"{lane.faults_dropped} more faults")
    return " \N{MIDDLE DOT} ".join(parts)


def _marks(call: CallEvidence, lane: Lane) -> Iterator[Mark]:
    for stamp in lane.stamps:
        yield _stamp_mark(stamp, lane)
    for fault in lane.faults:
        yield _mark(lane, fault.start_s, fault.end_s, "bad", fault.kind.value, str(fault))
    if lane.speaker != "gateway":
        return
    for one in call.responses:
        text = f"answer {one.ms:.0f} ms after the caller's last sound"
        yield _mark(
            lane, one.asked_until_s, one.answered_from_s, "response", f"{one.ms:.0f} ms", text
        )
    for finding in call.findings:
        if finding.at_s is not None:
            yield _mark(lane, finding.at_s, finding.at_s, "bad", finding.rule, str(finding))


def _stamp_mark(stamp: StampSeen, lane: Lane) -> Mark:
    who = f"stamp {stamp.sequence} of identity {stamp.identity}"
    label, kind, text = str(stamp.sequence), "stamp", f"{who}, heard"
    if stamp.foreign:
        label, kind, text = f"foreign {stamp.identity}", "bad", f"{who}: FOREIGN, not of this call"
    elif stamp.lost:
        kind, text = "lost", f"{who}: said and never heard"
    elif stamp.heard_at_s is None:
        kind, text = "late", f"{who}: not heard, nor was it due any more"
    elif stamp.latency_ms is not None:
        text = f"{who}, heard {stamp.latency_ms:.0f} ms after it was said"
    return _mark(
        lane, stamp.at_s, stamp.at_s + STAMP_S, kind, label, f"{text} ({stamp.at_s:.2f} s)"
    )


def _mark(lane: Lane, start_s: float, end_s: float, kind: str, label: str, text: str) -> Mark:
    left = percent(start_s, lane.duration_s)
    width = max(NARROWEST, percent(end_s, lane.duration_s) - left)
    return Mark(min(left, 100.0 - NARROWEST), round(width, 3), kind, label, text)
