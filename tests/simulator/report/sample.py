"""Evidence made by hand, for the tests of what is written from it."""

from dataclasses import replace
from typing import Any

import numpy as np

from simulator.audio.heard import Heard
from simulator.audio.pcm import Pcm
from simulator.audio.stamps import STAMP_S, render
from simulator.report.call import CallEvidence, Finding, LadderRow, StreamRow
from simulator.report.hearing import make_lane
from simulator.report.lane import Hearing, Lane, Response, StampSeen
from simulator.report.model import CheckResult, Outcome, ResourceSample, RunEvidence

BEGAN_S = 100.0
LASTS_S = 3.0
EVIL = "\"'><script>alert('x')</script>"


def ear_with_stamps(identity: int, count: int = 2) -> Heard:
    ear = Heard()
    ear.add(np.zeros(800, dtype=np.int16), 8000, BEGAN_S)
    for n in range(count):
        ear.add(render(identity, n, 8000), 8000, BEGAN_S + 0.2 + n)
    return ear


def lane(speaker: str, identity: int, seen: tuple[StampSeen, ...] | None = None) -> Lane:
    if seen is None:
        seen = tuple(StampSeen(identity, n, 0.2 + n, 0.25 + n) for n in range(2))
    ear = ear_with_stamps(identity)
    return make_lane(speaker, ear, BEGAN_S, BEGAN_S + LASTS_S, seen)


def good_call(number: int = 1, **changes: Any) -> CallEvidence:
    call = CallEvidence(
        number=number,
        identity=number,
        model_identity=127 + number,
        caller=lane("caller", number),
        gateway=lane("gateway", 127 + number),
        calling="100",
        called="1000",
        call_id=f"call-{number}@gate",
        invited_at_s=BEGAN_S - 0.01,
        began_at_s=BEGAN_S,
        answered_at_s=BEGAN_S,
        ended_at_s=BEGAN_S + LASTS_S,
        ended_by="caller",
        reason="caller_bye",
        final_status=200,
        setup_ms=10.0,
        responses=(Response(1.0, 1.4),),
        release_ms=1.0,
        heard_by_caller=Hearing(True, "2 own stamps"),
        heard_by_model=Hearing(True, "2 own stamps"),
        ladder=(
            LadderRow(0.0, False, "INVITE", "127.0.0.1:5", "127.0.0.1:6", "INVITE sip:x SIP/2.0"),
            LadderRow(0.01, True, "200 OK (INVITE)", "127.0.0.1:6", "127.0.0.1:5", "SIP/2.0 200"),
        ),
        streams=(
            StreamRow("gateway to caller", 150, (0xABC,), (8,), 0, 0, 20.0, 20.1, 50.0, 21.0),
            StreamRow("gateway to model", None),
        ),
    )
    return replace(call, **changes)


def bad_call(number: int = 2) -> CallEvidence:
    foreign = (StampSeen(77, 3, None, 1.0, foreign=True), StampSeen(128, 0, 0.2, None))
    return good_call(
        number,
        gateway=lane("gateway", 77, foreign),
        heard_by_caller=Hearing(False, "1 foreign stamp (identity 77)"),
        findings=(Finding("gate", "rtp-gap", "RFC 3551 4.2", f"520 ms {EVIL}", 1.5),),
        called=EVIL,
    )


def passed(name: str = "a check", call: int | None = None) -> CheckResult:
    return CheckResult(name, Outcome.PASSED, call=call)


def run_of(*calls: CallEvidence, **changes: Any) -> RunEvidence:
    run = RunEvidence(
        name="sample",
        calls=calls,
        checks=(passed(), *(passed("heard", call.number) for call in calls)),
        seed=7,
        clock="virtual",
        target="127.0.0.1:5060",
        began_at="2026-11-22T21:00:00+00:00",
        resources=(ResourceSample(0, 3, 2, 4, 1, 1 << 27), ResourceSample(1, 3, 2, 4, 1, None)),
        response_limit_ms=1500.0,
    )
    return replace(run, **changes)


def silence(seconds: float = STAMP_S) -> Pcm:
    return np.zeros(round(seconds * 8000), dtype=np.int16)
