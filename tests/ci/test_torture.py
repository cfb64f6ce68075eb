"""The torture job's own judgements: it must be able to fail."""

from typing import cast

import pytest

from ci.interop_job.checks import Checks
from ci.torture import CPU_LIMIT_S, again, is_dear, judge_set, ports_in
from ci.torture_job.attacker import ANSWER_LIMIT_S, Attacker, Outcome
from ci.torture_job.cases import Case

CASE = Case("set/x", (b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP h : 5070;branch=x\r\n\r\n",), "400")


def outcome(**changes: object) -> Outcome:
    made = Outcome(CASE, [400], 0.01, 0.001, is_alive=True)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"finals": [200]}, False),
        ({"finals": []}, False),
        ({"is_alive": False}, False),
        ({"took_s": ANSWER_LIMIT_S + 0.1}, False),
        ({"cpu_s": CPU_LIMIT_S + 0.001}, False),
    ],
)
def test_a_set_fails_by_each_rule(changes: dict[str, object], passes: bool) -> None:
    checks = Checks("torture")
    judge_set(checks, "set", [outcome(), outcome(**changes)])
    assert checks.failed == ([] if passes else ["set"])


class AtRest:
    """An attacker whose next try costs so much."""

    def __init__(self, cpu_s: float) -> None:
        self.cpu_s = cpu_s

    def try_case(self, case: Case) -> Outcome:
        return Outcome(case, cpu_s=self.cpu_s)


@pytest.mark.parametrize(("cpu_s", "passes"), [(0.002, True), (CPU_LIMIT_S + 0.001, False)])
def test_what_is_dear_at_rest_too_fails(
    cpu_s: float, passes: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    checks, dear = Checks("torture"), outcome(cpu_s=CPU_LIMIT_S + 0.1)
    assert [is_dear(outcome()), is_dear(dear)] == [False, True]
    again(cast("Attacker", AtRest(cpu_s)), [dear])
    judge_set(checks, "set", [outcome(), dear])
    assert checks.failed == ([] if passes else ["set"])
    assert ", 1 tried again at rest" in capsys.readouterr().out


def test_an_empty_set_is_no_pass() -> None:
    checks = Checks("torture")
    judge_set(checks, "set", [])
    assert checks.failed == ["set"]


def test_an_answer_is_awaited_at_the_port_of_the_top_via() -> None:
    assert ports_in(CASE) == [5070]
    assert ports_in(Case("x", (b"garbage",))) == []
