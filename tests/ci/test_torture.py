"""The torture job's own judgements: it must be able to fail."""

import pytest

from ci.interop_job.checks import Checks
from ci.torture import CPU_LIMIT_S, judge_set, ports_in
from ci.torture_job.attacker import ANSWER_LIMIT_S, Outcome
from ci.torture_job.cases import Case

CASE = Case("set/x", (b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP h : 5070;branch=x\r\n\r\n",), "400")


def outcome(**changes: object) -> Outcome:
    made = Outcome(CASE, [400], 0.01, 0.001, True)
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


def test_an_empty_set_is_no_pass() -> None:
    checks = Checks("torture")
    judge_set(checks, "set", [])
    assert checks.failed == ["set"]


def test_an_answer_is_awaited_at_the_port_of_the_top_via() -> None:
    assert ports_in(CASE) == [5070]
    assert ports_in(Case("x", (b"garbage",))) == []
