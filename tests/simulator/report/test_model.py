import math

import pytest

from simulator.report.model import CheckResult, Measurement, Outcome, RunEvidence
from tests.simulator.report.sample import bad_call, good_call, passed, run_of


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_missing_measurement_is_a_failure(value: float | None) -> None:
    check = CheckResult("set-up", Outcome.PASSED, measurement=Measurement(value, "ms"))

    assert check.verdict is Outcome.FAILED
    assert check.why == "not measured"
    assert not run_of(good_call(), checks=(passed(), check)).passed


@pytest.mark.parametrize(
    ("value", "at_least", "holds"),
    [(20.0, False, True), (20.1, False, False), (20.0, True, True), (19.9, True, False)],
)
def test_a_limit_is_kept(value: float, at_least: bool, holds: bool) -> None:
    figure = Measurement(value, "ms", 20.0, at_least)

    assert figure.holds is holds
    check = CheckResult("x", Outcome.PASSED, measurement=figure)
    assert (check.verdict is Outcome.PASSED) is holds


def test_zero_is_a_measurement() -> None:
    assert Measurement(0.0, "packets", 0.0).holds
    assert str(Measurement(0.0, "packets", 0.0)) == "0 packets (at most 0)"


def test_a_skipped_check_stays_skipped() -> None:
    check = CheckResult("x", Outcome.SKIPPED, "no gate", Measurement(None))

    assert check.verdict is Outcome.SKIPPED


def test_a_good_run_passes() -> None:
    run = run_of(good_call(1), good_call(2))

    assert run.passed
    assert run.failures == ()
    assert run.verdict is Outcome.PASSED


def test_a_run_that_shows_nothing_has_failed() -> None:
    untestable = CheckResult("x", Outcome.NOT_TESTABLE)

    assert RunEvidence("empty").failures == ("no check passed: nothing was shown",)
    assert not RunEvidence("untestable", checks=(untestable,)).passed


def test_a_broken_rule_fails_its_call_and_the_run() -> None:
    run = run_of(good_call(1), bad_call(2))

    assert [run.has_failed(call) for call in run.calls] == [False, True]
    [line] = run.failures
    assert line.startswith("call 2: rtp-gap (RFC 3551 4.2): 520 ms")


def test_a_failed_check_of_a_call_fails_it() -> None:
    failed = CheckResult("heard", Outcome.FAILED, "silent", call=2)
    run = run_of(good_call(1), good_call(2), checks=(passed(), failed))

    assert [run.has_failed(call) for call in run.calls] == [False, True]
    assert run.failures == ("heard [call 2]: silent",)


@pytest.mark.parametrize(
    "changes", [{"errors": ("a task was left",)}, {"exit_code": 3}], ids=["error", "exit code"]
)
def test_the_verdict_is_never_greener_than_the_rest(changes: dict[str, object]) -> None:
    run = run_of(good_call(), **changes)

    assert run.verdict is Outcome.FAILED
    assert len(run.failures) == 1
