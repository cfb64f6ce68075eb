"""The run as plain data: what run.json holds."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.report.call import CallEvidence
from simulator.report.doctor import Diagnosis
from simulator.report.lane import Lane
from simulator.report.model import CheckResult, RunEvidence

VERSION = 1


def wav_name(call: CallEvidence) -> str:
    """The file name of a call's recording."""
    return f"call-{call.number:02}.wav"


def as_record(
    run: RunEvidence, diagnosis: Diagnosis | None = None, files: Sequence[str] = ()
) -> dict[str, Any]:
    """The run without sound and messages. Figures that lack are null, never 0."""
    record: dict[str, Any] = {
        "version": VERSION,
        "name": run.name,
        "verdict": run.verdict.value,
        "passed": run.passed,
        "failures": list(run.failures),
        "seed": run.seed,
        "clock": run.clock,
        "target": run.target,
        "began_at": run.began_at,
        "exit_code": run.exit_code,
        "calls": [_call(run, call) for call in run.calls],
        "checks": [_check(check) for check in run.checks],
        "response_ms": summary([ms for call in run.calls for ms in call.response_ms]),
        "resources": [
            {name: getattr(sample, name) for name in sample.__dataclass_fields__}
            for sample in run.resources
        ],
        "errors": list(run.errors),
        "notes": list(run.notes),
        "sip_doctor": None if diagnosis is None else diagnosis.as_record(),
        "files": list(files),
    }
    finite: dict[str, Any] = _finite(record | dict(run.extra))
    return finite


def summary(values: Sequence[float]) -> dict[str, float | int | None]:
    """Count, middle, 95 % and highest of some figures; null without any."""
    known = bool(values)
    return {
        "count": len(values),
        "p50": float(np.percentile(values, 50)) if known else None,
        "p95": float(np.percentile(values, 95)) if known else None,
        "max": max(values) if known else None,
    }


def _call(run: RunEvidence, call: CallEvidence) -> dict[str, Any]:
    return {
        "number": call.number,
        "passed": not run.has_failed(call),
        "identity": call.identity,
        "model_identity": call.model_identity,
        "from": call.calling,
        "to": call.called,
        "call_id": call.call_id,
        "duration_s": call.duration_s,
        "ended_by": call.ended_by,
        "reason": call.reason,
        "status": call.final_status,
        "setup_ms": call.setup_ms,
        "response_ms": list(call.response_ms),
        "release_ms": call.release_ms,
        "heard_by_caller": call.heard_by_caller.ok,
        "heard_by_model": call.heard_by_model.ok,
        "lanes": {lane.speaker: _lane(lane) for lane in call.lanes},
        "streams": [
            {name: getattr(row, name) for name in row.__dataclass_fields__} for row in call.streams
        ],
        "findings": [
            {"judge": one.judge, "rule": one.rule, "reference": one.reference, "text": one.text}
            for one in call.findings
        ],
        "wav": None if call.gateway.pcm is None else wav_name(call),
    }


def _lane(lane: Lane) -> dict[str, Any]:
    own = [stamp for stamp in lane.stamps if not stamp.foreign]
    latencies = [stamp.latency_ms for stamp in own if stamp.latency_ms is not None]
    return {
        "level_dbfs": lane.level_dbfs,
        "peak": lane.peak,
        "stamps": {
            "said": sum(stamp.said_at_s is not None for stamp in own),
            "heard": sum(stamp.heard_at_s is not None for stamp in own),
            "lost": sum(stamp.lost for stamp in own),
            "foreign": len(lane.stamps) - len(own),
            "latency_ms": summary(latencies),
        },
        "faults": [
            {"kind": fault.kind.value, "start_s": fault.start_s, "end_s": fault.end_s}
            for fault in lane.faults
        ],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    figure = check.measurement
    return {
        "name": check.name,
        "call": check.call,
        "outcome": check.verdict.value,
        "message": check.message,
        "measurement": None
        if figure is None
        else {"value": figure.value, "unit": figure.unit, "limit": figure.limit},
    }


def _finite(value: Any) -> Any:
    """JSON knows no NaN: what is no number is null."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
