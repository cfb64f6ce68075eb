"""call.json: the figures of one call; the same object is the CDR's line and the webhook's body."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from voicegate.report import CallReport


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report does not say."""

    record: str
    """The record's name."""
    caller: str
    """The caller's number, masked unless the settings say otherwise."""
    began: datetime
    """When the INVITE came."""
    codec: str | None
    """`PCMA` or `PCMU`; None where no media were opened."""
    alarms: tuple[str, ...]
    """The watchdogs that barked, in their order."""
    gemini: Mapping[str, Any] | None
    """Model, connections and tokens; None for another voice."""
    dropped: int
    """Batches of the record that were dropped, since the disk was too slow."""
    failed: str | None
    """Why the recording ended before the call; None where it did not."""


def figures(report: CallReport, facts: Facts) -> dict[str, Any]:
    """Put both together, as plain values."""
    return {
        "id": facts.record,
        "call_id": report.call_id,
        "number": report.number,
        "direction": report.direction,
        "from": facts.caller,
        "to": report.called,
        "start": _moment(facts.began, 0.0),
        "answer": _moment(facts.began, report.setup_ms),
        "end": _moment(facts.began, report.duration_ms),
        "ended_by": report.reason.ended_by,
        "reason": report.reason.value,
        "setup_ms": report.setup_ms,
        "duration_ms": report.duration_ms,
        "release_ms": report.release_ms,
        "codec": facts.codec,
        "rtp": _rtp(report.media),
        "turns": report.turns,
        "interruptions": report.interruptions,
        "response_ms": list(report.response_ms),
        "gemini": None if facts.gemini is None else dict(facts.gemini),
        "alarms": list(facts.alarms),
        "record": {"dropped": facts.dropped, "failed": facts.failed},
    }


def _moment(began: datetime, after_ms: float | None) -> str | None:
    if after_ms is None:
        return None
    return (began + timedelta(milliseconds=after_ms)).isoformat(timespec="milliseconds")


def _rtp(media: Mapping[str, int | float] | None) -> dict[str, int | float] | None:
    if media is None:
        return None
    return {
        "in": media["packets_in"],
        "out": media["packets_out"],
        "lost": media["lost"],
        "jitter_ms": media["jitter_ms"],
        "max_gap_ms": media["max_gap_ms"],
        "far_lost": media["far_lost"],
        "far_jitter_ms": media["far_jitter_ms"],
        "round_trip_ms": media["round_trip_ms"],
    }
