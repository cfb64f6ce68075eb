import pytest

from simulator.gate.judge import Findings
from simulator.gate.judge_call import CallJudge

DUE = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def judge(*, exact: bool = True) -> tuple[CallJudge, Findings]:
    findings = Findings()
    return CallJudge(findings, exact=exact), findings


def rules(findings: Findings) -> list[str]:
    return [violation.rule for violation in findings.violations]


@pytest.mark.parametrize(
    ("exact", "waited_s", "late"),
    [(True, 0.2, False), (True, 0.21, True), (False, 0.45, False), (False, 0.6, True)],
)
def test_trying_has_200_ms(exact: bool, waited_s: float, late: bool) -> None:
    call, findings = judge(exact=exact)
    call.first_response(waited_s)
    assert rules(findings) == (["trying-late"] if late else [])


def test_the_second_late_answer_after_the_ack_is_one_too_many() -> None:
    call, findings = judge()
    call.answer_again(None, 5.0)
    call.answer_again(5.0, 5.1)
    call.answer_again(5.0, 5.5)
    assert rules(findings) == []
    for at in (6.5, 8.5):
        call.answer_again(5.0, at)
    assert rules(findings) == ["2xx-after-ack"]


def test_only_487_fits_a_cancel() -> None:
    call, findings = judge()
    call.refused_after_cancel(487)
    assert rules(findings) == []
    call.refused_after_cancel(500)
    assert rules(findings) == ["cancel-answer"]


@pytest.mark.parametrize(
    ("acked_at", "answers_at", "now", "due"),
    [
        (1.0, [0.9], 2.0, []),
        (None, DUE, 32.0, []),
        (None, [0], 2.0, ["bye-before-ack"]),
        (None, [], 2.0, ["bye-before-ack"]),
        (None, [0, 0.5], 32.0, ["2xx-not-resent"]),
    ],
)
def test_a_bye_waits_for_its_ack(
    acked_at: float | None, answers_at: list[float], now: float, due: list[str]
) -> None:
    call, findings = judge()
    call.bye(acked_at, answers_at, now)
    assert rules(findings) == due


def test_nothing_comes_in_a_dialog_that_is_over() -> None:
    call, findings = judge()
    call.after_end("BYE")
    call.after_end("INVITE")
    assert rules(findings) == ["bye-after-end", "request-after-end"]
