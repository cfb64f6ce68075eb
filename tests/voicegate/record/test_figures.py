"""The figures of call.json, from the report and what the record knows besides."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from voicegate.endings import HangupReason
from voicegate.record.figures import Facts, figures
from voicegate.report import CallReport

FACTS = Facts(
    record="20261125T142305-7-3f2a9c01d4e5",
    caller="*******4567",
    began=datetime(2026, 11, 25, 14, 23, 5, 250000, tzinfo=UTC),
    codec="PCMA",
    alarms=("empty_turn",),
    gemini={"model": "m", "sessions": 2, "tokens": {"prompt": 5, "response": 7}},
    dropped=0,
    failed=None,
)
REPORT = CallReport(
    number=7,
    call_id="a@b",
    caller="*******4567",
    called="1000",
    reason=HangupReason.GOODBYE,
    setup_ms=750.0,
    duration_ms=60750.5,
    release_ms=3.0,
    turns=4,
    interruptions=1,
    response_ms=(810.0, 640.0),
    media={"packets_in": 3000, "packets_out": 3001, "lost": 2, "jitter_ms": 1.5}
    | {"max_gap_ms": 41.0, "early": 0, "far_lost": 2, "far_jitter_ms": 1.5, "round_trip_ms": 30.0},
)


def test_a_recordings_figures_are_those_of_the_reference() -> None:
    told = figures(REPORT, FACTS)
    assert (told["from"], told["to"], told["codec"]) == ("*******4567", "1000", "PCMA")
    assert (told["start"], told["answer"], told["end"]) == (
        "2026-11-25T14:23:05.250+00:00",
        "2026-11-25T14:23:06.000+00:00",
        "2026-11-25T14:24:06.000+00:00",
    )
    assert (told["ended_by"], told["reason"]) == ("gateway", "goodbye")
    assert told["rtp"] == {
        "in": 3000,
        "out": 3001,
        "lost": 2,
        "jitter_ms": 1.5,
        "max_gap_ms": 41.0,
        "far_lost": 2,
        "far_jitter_ms": 1.5,
        "round_trip_ms": 30.0,
    }
    assert (told["turns"], told["response_ms"]) == (4, [810.0, 640.0])
    assert told["gemini"] == FACTS.gemini
    assert told["alarms"] == ["empty_turn"]


def test_what_never_was_is_null() -> None:
    told: dict[str, Any] = figures(
        replace(REPORT, setup_ms=None, media=None), replace(FACTS, gemini=None, codec=None)
    )
    assert (told["answer"], told["rtp"], told["gemini"], told["codec"]) == (None,) * 4
