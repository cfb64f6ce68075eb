"""Whose turn it is, and when a connection may be left."""

import struct

import pytest

from voicegate.voice.session import (
    GenerationComplete,
    Interrupted,
    ModelAudio,
    TurnComplete,
)
from voicegate.voice.turn import (
    ANSWER_S,
    GO_ON,
    LEAVE_BEFORE_S,
    LOOK_AHEAD_S,
    SETTLE_S,
    Departure,
    Turn,
)

NOW = 1000.0
LOUD, QUIET = struct.pack("<640h", *([8000, -8000] * 320)), bytes(1280)
SOUND = ModelAudio(b"\1\0", 24000)


def after(*events: object) -> Turn:
    turn = Turn()
    for event in events:
        if isinstance(event, bytes):
            turn.caller(event, NOW)
        elif isinstance(event, str):
            turn.asked(event, NOW)
        else:
            turn.heed(event, NOW)  # type: ignore[arg-type]
    return turn


def test_a_silent_line_is_free() -> None:
    assert (after(QUIET).free_at() or 0) <= NOW


def test_nobody_leaves_while_the_model_speaks_nor_before_its_turn_is_over() -> None:
    assert after(SOUND).free_at() is None
    assert after(SOUND, GenerationComplete()).free_at() is None


def test_a_turn_settles_so_that_its_handle_can_come() -> None:
    assert after(LOUD, SOUND, TurnComplete()).free_at() == NOW + SETTLE_S


def test_who_asked_gets_an_answer_first() -> None:
    assert after(LOUD).free_at() == NOW + ANSWER_S + SETTLE_S
    assert after("Greet.").free_at() == NOW + ANSWER_S
    interrupted = after(SOUND, LOUD, Interrupted(), TurnComplete())
    assert interrupted.free_at() == NOW + ANSWER_S + SETTLE_S


def test_a_noise_that_nobody_answered_is_no_question_when_we_leave() -> None:
    turn = after(LOUD)
    free_at = turn.free_at()
    assert free_at is not None
    turn.lost(free_at - 1e-6)  # a timer may be early by the clock's grain
    assert turn.owed(free_at) == ""


@pytest.mark.parametrize(
    ("events", "later_s", "owed"),
    [
        ((), 0.0, ""),
        ((SOUND,), 0.0, GO_ON),
        ((SOUND, GenerationComplete()), 0.0, ""),
        ((SOUND, TurnComplete()), 0.0, ""),
        (("Greet.",), 0.0, "Greet."),
        (("Greet.", "It is late."), 0.0, "Greet.\nIt is late."),
        (("Greet.", SOUND), 0.0, GO_ON),
        (("Greet.", SOUND, TurnComplete()), 0.0, ""),
        (("Greet.", TurnComplete()), 0.0, ""),
        (("The caller pressed 5.",), 60.0, ""),
        ((LOUD,), 0.1, ""),  # still speaking
        ((LOUD,), 1.0, GO_ON),
        ((LOUD,), 60.0, ""),
        ((LOUD, SOUND, TurnComplete()), 1.0, ""),
    ],
)
def test_what_is_owed_when_the_connection_is_lost(
    events: tuple[object, ...], later_s: float, owed: str
) -> None:
    turn = after(*events)
    turn.lost(NOW + later_s)
    assert turn.owed(NOW + later_s) == owed
    assert turn.free_at() is not None
    turn.heed(SOUND, NOW + later_s)
    assert turn.owed(NOW + later_s) == ""


def test_without_a_warning_nobody_leaves() -> None:
    departure = Departure(NOW, None)
    assert departure.at(NOW) is None
    assert not departure.is_due(NOW + 1e6)


def test_after_a_warning_the_next_pause_is_used_and_the_end_is_not_waited_for() -> None:
    departure = Departure(NOW, None)
    departure.go_away(NOW, 60.0)
    assert departure.is_due(NOW)
    assert departure.at(None) == NOW + 60 - LEAVE_BEFORE_S
    assert departure.at(NOW - 9) == NOW
    assert departure.at(NOW + 3) == NOW + 3
    assert departure.at(NOW + 300) == NOW + 60 - LEAVE_BEFORE_S


@pytest.mark.parametrize(("time_left_s", "leaves_in_s"), [(None, 10.0), (3.0, 0.0), (0.0, 0.0)])
def test_a_short_or_a_nameless_notice(time_left_s: float | None, leaves_in_s: float) -> None:
    departure = Departure(NOW, None)
    departure.go_away(NOW, time_left_s)
    assert departure.at(None) == NOW + leaves_in_s


def test_an_end_that_comes_without_a_warning_is_known_by_the_models_rules() -> None:
    departure = Departure(NOW, 3480.0)
    assert departure.latest == NOW + 3480 - LEAVE_BEFORE_S
    assert not departure.is_due(NOW + 3480 - LEAVE_BEFORE_S - LOOK_AHEAD_S - 1)
    assert departure.is_due(NOW + 3480 - LEAVE_BEFORE_S - LOOK_AHEAD_S)


def test_words_that_come_meanwhile_are_owed_too() -> None:
    turn = after(SOUND)
    turn.lost(NOW)
    turn.asked("The caller pressed 5.", NOW)
    assert turn.owed(NOW) == f"{GO_ON}\nThe caller pressed 5."
