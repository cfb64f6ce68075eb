"""The farewell as a pure decider: told what the model sends, asked with what is queued."""

import pytest

from voicegate.farewell import (
    CALLED_OFF_BY_S,
    DOUBT_S,
    FAREWELL_LIMIT_S,
    PLAYOUT_MARGIN_S,
    SETTLE_S,
    TOOL_PATIENCE_S,
    Farewell,
    LeaveTaking,
)

STEP_S = 0.02


def heard_at(farewell: Farewell, from_s: float, queued_until_s: float = 0.0) -> float:
    """When it is over, looked at frame by frame, with a queue that is empty from then on."""
    now = from_s
    while not farewell.heard(now, max(0.0, queued_until_s - now) * 1000):
        now += STEP_S
        assert now < from_s + 60, "a farewell without end"
    return now


def test_nobody_leaves_unless_somebody_said_goodbye() -> None:
    assert not Farewell().heard(100.0, 0.0)


def test_trap_7_what_was_generated_is_played_out_and_settles() -> None:
    farewell = Farewell()
    farewell.begin(10.0, LeaveTaking.MODEL, awaits=True)
    farewell.model_sounds(10.1)
    farewell.model_done(11.0)
    assert heard_at(farewell, 11.0, queued_until_s=14.0) == pytest.approx(14.0 + SETTLE_S, abs=0.04)


def test_a_farewell_that_was_generated_before_is_only_played_out() -> None:
    farewell = Farewell()
    farewell.begin(10.0, LeaveTaking.CALLER, awaits=False)
    assert heard_at(farewell, 10.0, queued_until_s=11.0) == pytest.approx(11.0 + SETTLE_S, abs=0.04)


def test_a_long_farewell_in_real_time_is_not_cut() -> None:
    """The limit counts from the last sound, not from the goodbye."""
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.CALLER, awaits=True)
    for second in range(1, 26):
        farewell.model_sounds(float(second))
        assert not farewell.heard(second + 0.9, 0.0)
    farewell.model_done(26.0)
    assert heard_at(farewell, 26.0) == pytest.approx(26.0 + SETTLE_S, abs=0.04)


def test_an_end_that_is_never_told_is_bounded() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=True)
    assert heard_at(farewell, 0.0) == pytest.approx(FAREWELL_LIMIT_S + SETTLE_S, abs=0.04)


def test_trap_7_a_playout_that_never_ends_is_bounded() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=False)
    now = 0.0
    while not farewell.heard(now, 1000.0):
        now += STEP_S
    assert now == pytest.approx(1.0 + PLAYOUT_MARGIN_S + SETTLE_S, abs=0.06)


def test_sound_after_the_end_of_a_turn_is_waited_for() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=False)
    farewell.model_sounds(0.1)
    assert not farewell.heard(5.0, 0.0)
    farewell.model_done(6.0)
    assert heard_at(farewell, 6.0) == pytest.approx(6.0 + SETTLE_S, abs=0.04)


def test_a_turn_that_only_asked_to_hang_up_is_not_the_farewell() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.TOOL, awaits=True)
    farewell.model_done(0.1)
    assert not farewell.heard(0.5, 0.0)
    farewell.model_sounds(0.8)
    assert not farewell.heard(TOOL_PATIENCE_S + 1, 0.0)
    farewell.model_done(4.0)
    assert heard_at(farewell, 4.0, queued_until_s=5.0) == pytest.approx(5.0 + SETTLE_S, abs=0.04)


def test_who_asked_to_hang_up_and_says_nothing_more_is_not_waited_for_long() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.TOOL, awaits=True)
    assert heard_at(farewell, 0.0) == pytest.approx(TOOL_PATIENCE_S + SETTLE_S, abs=0.04)


def test_a_goodbye_that_is_said_and_asked_for_is_asked_for() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=True)
    farewell.begin(1.0, LeaveTaking.TOOL, awaits=True)
    assert farewell.by is LeaveTaking.TOOL
    farewell.begin(2.0, LeaveTaking.CALLER, awaits=True)
    assert farewell.by is LeaveTaking.TOOL


def test_trap_7_speech_calls_it_off_and_a_short_answer_does_not() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=True)
    frames = int(CALLED_OFF_BY_S / STEP_S) - 1
    assert not any(farewell.caller_speaks(STEP_S) for _ in range(frames))
    assert any(farewell.caller_speaks(STEP_S) for _ in range(2))


def test_each_goodbye_counts_the_callers_speech_anew() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=True)
    farewell.caller_speaks(CALLED_OFF_BY_S)
    farewell.call_off()
    assert farewell.by is None
    farewell.begin(5.0, LeaveTaking.MODEL, awaits=True)
    assert not farewell.caller_speaks(STEP_S)


def test_in_doubt_the_hang_up_waits_for_a_transcript() -> None:
    farewell = Farewell()
    farewell.begin(0.0, LeaveTaking.MODEL, awaits=True)
    farewell.doubt(1.0)
    farewell.model_done(1.0)
    assert farewell.doubted
    assert heard_at(farewell, 1.0) == pytest.approx(1.0 + DOUBT_S + SETTLE_S, abs=0.04)


def test_there_is_no_doubt_where_nobody_leaves() -> None:
    farewell = Farewell()
    farewell.doubt(1.0)
    assert not farewell.doubted
