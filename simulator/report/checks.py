"""The checks that any call can be held to, made from its evidence alone."""

from collections.abc import Iterator

from simulator.report.call import CallEvidence
from simulator.report.lane import FaultKind, Hearing, Lane
from simulator.report.model import CheckResult, Measurement, Outcome

GAP_LIMIT_MS = 250.0


def checks_of(
    call: CallEvidence, *, response_limit_ms: float | None = None
) -> tuple[CheckResult, ...]:
    """Two-way audio, the rules of the wire, clean sound, and the pace of the answers.

    `response_limit_ms` is for calls in which an answer is due: without any it fails.
    """
    found = [
        _hearing("caller hears the model", call.heard_by_caller, call.number),
        _hearing("model hears the caller", call.heard_by_model, call.number),
        _rules(call),
        _clean(call.gateway, call.number),
    ]
    if response_limit_ms is not None:
        slowest = max(call.response_ms, default=None)
        figure = Measurement(slowest, "ms", response_limit_ms)
        found.append(_measured("the model answers in time", figure, call.number))
    found += _gap(call)
    return tuple(found)


def _hearing(name: str, hearing: Hearing, number: int) -> CheckResult:
    outcome = {True: Outcome.PASSED, False: Outcome.FAILED, None: Outcome.NOT_TESTABLE}[hearing.ok]
    return CheckResult(name, outcome, hearing.text, call=number)


def _rules(call: CallEvidence) -> CheckResult:
    broken = len(call.findings) + call.findings_dropped
    if not broken:
        return CheckResult("every byte by the rules", Outcome.PASSED, call=call.number)
    message = f"{broken} broken: {call.findings[0] if call.findings else 'see the notes'}"
    return CheckResult("every byte by the rules", Outcome.FAILED, message, call=call.number)


def _clean(lane: Lane, number: int) -> CheckResult:
    """Holes are judged by their length below; a cut or clipped wave is always wrong."""
    bad = [fault for fault in lane.faults if fault.kind is not FaultKind.HOLE]
    if lane.level_dbfs is None:
        return CheckResult("clean sound", Outcome.FAILED, "there was no sound", call=number)
    if not bad:
        return CheckResult("clean sound", Outcome.PASSED, call=number)
    message = ", ".join(map(str, bad[:3])) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
    return CheckResult("clean sound", Outcome.FAILED, message, call=number)


def _gap(call: CallEvidence) -> Iterator[CheckResult]:
    if call.answered_at_s is None:
        return
    gap_ms = next((row.longest_gap_ms for row in call.streams), None)
    figure = Measurement(gap_ms, "ms", GAP_LIMIT_MS)
    yield _measured("packets without a break", figure, call.number)


def _measured(name: str, figure: Measurement, number: int) -> CheckResult:
    outcome = Outcome.PASSED if figure.holds else Outcome.FAILED
    return CheckResult(name, outcome, measurement=figure, call=number)
