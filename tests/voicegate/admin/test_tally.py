"""What the calls that are over add up to."""

from typing import Any

import pytest

from voicegate.admin.tally import Distribution, Tally, result_of
from voicegate.endings import HangupReason
from voicegate.report import CallReport


def report(reason: HangupReason, setup_ms: float | None = 5.0, **more: Any) -> CallReport:
    facts: dict[str, Any] = {"number": 1, "call_id": "x", "caller": "*1", "called": "1000"} | more
    return CallReport(
        reason=reason, setup_ms=setup_ms, duration_ms=61_000.0, release_ms=20.0, **facts
    )


@pytest.mark.parametrize(
    ("reason", "setup_ms", "due"),
    [
        (HangupReason.GOODBYE, 5.0, "completed"),
        (HangupReason.CALLER_BYE, 5.0, "completed"),
        (HangupReason.VOICE_LOST, 5.0, "failed"),
        (HangupReason.FAULT, None, "failed"),
        (HangupReason.CALLER_CANCEL, None, "cancelled"),
        (HangupReason.VOICE_REFUSED, None, "refused"),
        (HangupReason.NO_PORT, None, "refused"),
    ],
)
def test_what_became_of_a_call(reason: HangupReason, setup_ms: float | None, due: str) -> None:
    assert result_of(report(reason, setup_ms)) == due


def test_a_call_is_added_up() -> None:
    tally = Tally()
    media = {"packets_in": 50, "lost": 2, "codec": "PCMA"}
    call = report(HangupReason.GOODBYE, response_ms=(500.0, 900.0), number=10, media=media)
    tally.add(call, {"in": -25.0, "out": -96.0})
    tally.add(call, {})
    assert tally.results["completed"] == tally.reasons["goodbye"] == 2
    assert tally.media == {"packets_in": 100, "lost": 4}
    assert tally.response.sum == pytest.approx(2.8)
    assert tally.numbered == {("10", "in"): -25.0, ("10", "out"): -96.0}
    assert tally.levels["out"].buckets()[0] == ("-90.0", 1.0)


def test_a_call_that_was_never_answered_has_no_set_up_time() -> None:
    tally = Tally()
    tally.add(report(HangupReason.CALLER_CANCEL, None), {})
    assert tally.setup.buckets()[-1] == ("+Inf", 0.0)


def test_a_figure_on_the_bound_is_within_it() -> None:
    found = Distribution((1, 2))
    for figure in (0.5, 1, 1.5, 7):
        found.add(figure)
    assert found.buckets() == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert found.sum == 10


def test_every_alarm_stands_at_nothing_before_the_first() -> None:
    assert Tally().alarms.items() >= {("near_silent", 0), ("recording_failed", 0)}
