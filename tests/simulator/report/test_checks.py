from dataclasses import replace

import pytest

from simulator.report.call import CallEvidence
from simulator.report.checks import checks_of
from simulator.report.lane import AudioFault, FaultKind, Hearing, Lane
from simulator.report.model import Outcome
from tests.simulator.report.sample import bad_call, good_call

NAMES = [
    "caller hears the model",
    "model hears the caller",
    "every byte by the rules",
    "clean sound",
    "the model answers in time",
    "packets without a break",
]


def verdicts(call: CallEvidence) -> dict[str, Outcome]:
    return {check.name: check.verdict for check in checks_of(call, response_limit_ms=1500)}


def failed(call: CallEvidence) -> list[str]:
    return [name for name, verdict in verdicts(call).items() if verdict is Outcome.FAILED]


def gateway_with(fault: FaultKind) -> Lane:
    return replace(good_call().gateway, faults=(AudioFault(fault, 1.0, 1.02),))


def test_a_good_call_passes_all() -> None:
    assert list(verdicts(good_call())) == NAMES
    assert failed(good_call()) == []
    assert all(check.call == 1 for check in checks_of(good_call()))


@pytest.mark.parametrize(
    ("call", "due"),
    [
        (good_call(heard_by_caller=Hearing(False, "silent")), [NAMES[0]]),
        (good_call(heard_by_model=Hearing(False, "silent")), [NAMES[1]]),
        (bad_call(), [NAMES[0], NAMES[2]]),
        (good_call(gateway=gateway_with(FaultKind.CLIPPING)), [NAMES[3]]),
        (good_call(gateway=gateway_with(FaultKind.DROPOUT)), [NAMES[3]]),
        (good_call(gateway=gateway_with(FaultKind.HOLE)), []),
        (good_call(gateway=replace(good_call().gateway, level_dbfs=None)), [NAMES[3]]),
        (good_call(responses=()), [NAMES[4]]),
        (good_call(streams=(replace(good_call().streams[0], longest_gap_ms=251),)), [NAMES[5]]),
        (good_call(streams=(replace(good_call().streams[0], longest_gap_ms=None),)), [NAMES[5]]),
        (good_call(streams=()), [NAMES[5]]),
    ],
)
def test_each_fault_fails_its_check_and_no_other(call: CallEvidence, due: list[str]) -> None:
    assert failed(call) == due


def test_what_cannot_be_told_is_not_testable() -> None:
    call = good_call(heard_by_model=Hearing(None, "there is no ear"))

    assert verdicts(call)[NAMES[1]] is Outcome.NOT_TESTABLE


def test_no_answer_is_due_unless_a_limit_says_so() -> None:
    assert NAMES[4] not in [check.name for check in checks_of(good_call(responses=()))]
