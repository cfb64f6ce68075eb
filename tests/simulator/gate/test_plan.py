import pytest

from simulator.gate.plan import AnswerPlan


def test_the_plain_plan_rings_and_answers() -> None:
    plan = AnswerPlan()
    assert (plan.trying, plan.ringing, plan.early_media) == (True, True, False)
    assert (plan.status, plan.ring_s, plan.number) == (200, 0.0, None)
    with pytest.raises(AttributeError):
        plan.status = 486  # type: ignore[misc]
