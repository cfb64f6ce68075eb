"""Is the model well? Each watchdog, fed by hand."""

import math
import struct
from collections.abc import Callable

import pytest

from voicegate.watchdogs import (
    ANSWER_LIMIT_S,
    GREETING_LIMIT_S,
    TONE_LIMIT_S,
    TURN_GAP_S,
    Alarm,
    Watchdogs,
)

RATE_HZ = 24000
CHUNK_S = 0.1


def tone(level: float, hz: float = 440.0, seconds: float = CHUNK_S) -> bytes:
    """Give a sine with this peak."""
    count = int(seconds * RATE_HZ)
    wave = (int(level * math.sin(2 * math.pi * hz * n / RATE_HZ)) for n in range(count))
    return struct.pack(f"<{count}h", *wave)


def speech(seconds: float) -> list[bytes]:
    """Give chunks that are loud, each of another pitch."""
    return [tone(8000, 150.0 + 90.0 * (n % 7)) for n in range(round(seconds / CHUNK_S))]


WHISPER = [tone(4.0)] * 20
"""Two seconds of next to nothing."""


@pytest.fixture
def dogs() -> Watchdogs:
    return Watchdogs()


def ask(dogs: Watchdogs, at: float, seconds: float = 1.0) -> float:
    """Let the caller speak; give when it has ended."""
    for frame in range(int(seconds / 0.02)):
        dogs.caller_speaks(at + frame * 0.02)
    return at + seconds


def reply(dogs: Watchdogs, chunks: list[bytes], reason: str = "") -> list[Alarm]:
    """Let the model speak a turn; give the alarms."""
    raised = [dogs.model_sounds(chunk, RATE_HZ) for chunk in chunks]
    return [alarm for alarm in (*raised, dogs.turn_complete(reason)) if alarm is not None]


def test_a_greeting_that_never_comes(dogs: Watchdogs) -> None:
    dogs.greeting_asked(10.0)
    assert dogs.check(10.0 + GREETING_LIMIT_S - 0.1) is None
    assert dogs.check(10.0 + GREETING_LIMIT_S) is Alarm.NO_GREETING
    assert dogs.check(100.0) is None


def test_a_greeting_that_comes_or_a_caller_who_begins(dogs: Watchdogs) -> None:
    dogs.greeting_asked(10.0)
    dogs.model_sounds(tone(8000), RATE_HZ)
    assert dogs.check(100.0) is None
    dogs.greeting_asked(200.0)
    dogs.caller_speaks(201.0)
    assert dogs.check(204.5) is None


def test_a_greeting_without_energy_is_none(dogs: Watchdogs) -> None:
    dogs.greeting_asked(10.0)
    assert dogs.model_sounds(tone(4.0), RATE_HZ) is None
    assert dogs.check(14.0) is Alarm.NO_GREETING


def test_two_empty_turns(dogs: Watchdogs) -> None:
    ask(dogs, 10.0)
    assert reply(dogs, []) == []
    ask(dogs, 20.0)
    assert reply(dogs, []) == [Alarm.EMPTY_TURNS]
    ask(dogs, 30.0)
    assert reply(dogs, []) == []


def test_one_empty_turn_among_others_is_no_alarm(dogs: Watchdogs) -> None:
    for second in range(0, 100, 10):
        ask(dogs, float(second))
        assert reply(dogs, speech(1.0) if second % 20 else []) == []


def test_an_end_of_turn_that_nobody_asked_for_is_no_empty_turn(dogs: Watchdogs) -> None:
    for _ in range(5):
        assert reply(dogs, []) == []


def test_a_model_that_does_not_even_end_its_turns(dogs: Watchdogs) -> None:
    """After a phantom interruption some sessions never speak again."""
    ended = ask(dogs, 10.0)
    assert dogs.check(ended + ANSWER_LIMIT_S * 5) is None
    ended = ask(dogs, ended + TURN_GAP_S + 0.1)
    assert dogs.check(ended + ANSWER_LIMIT_S - 0.1) is None
    assert dogs.check(ended + ANSWER_LIMIT_S) is Alarm.EMPTY_TURNS


def test_a_breath_between_words_is_no_new_turn(dogs: Watchdogs) -> None:
    ended = ask(dogs, 10.0)
    ended = ask(dogs, ended + TURN_GAP_S - 0.1)
    assert dogs.check(ended + ANSWER_LIMIT_S + 1) is None


@pytest.mark.parametrize("excuse", [Watchdogs.interrupted, Watchdogs.tool_called])
def test_a_turn_that_was_cut_or_called_a_tool_is_not_empty(
    dogs: Watchdogs, excuse: Callable[[Watchdogs], None]
) -> None:
    for second in (10.0, 20.0, 30.0):
        ask(dogs, second)
        excuse(dogs)
        assert reply(dogs, []) == []


def test_two_rejected_responses(dogs: Watchdogs) -> None:
    ask(dogs, 10.0)
    assert reply(dogs, [], "RESPONSE_REJECTED") == []
    ask(dogs, 20.0)
    assert reply(dogs, [], "RESPONSE_REJECTED") == [Alarm.REJECTED_RESPONSES]


def test_a_turn_that_waits_for_more_is_not_rejected(dogs: Watchdogs) -> None:
    for _ in range(3):
        assert reply(dogs, [], "NEED_MORE_INPUT") == []


def test_near_silent_sound(dogs: Watchdogs) -> None:
    assert reply(dogs, WHISPER) == [Alarm.NEAR_SILENT]


def test_near_silent_sound_without_end(dogs: Watchdogs) -> None:
    raised = [dogs.model_sounds(chunk, RATE_HZ) for chunk in WHISPER * 2]
    assert raised.count(Alarm.NEAR_SILENT) == 1


def test_a_pause_before_the_first_word_is_not_near_silent(dogs: Watchdogs) -> None:
    assert reply(dogs, [*WHISPER, *speech(1.0)]) == []
    assert dogs.turns_heard == 1


def test_a_tone_instead_of_speech(dogs: Watchdogs) -> None:
    chunks = [tone(8000, 440.0) for _ in range(round((TONE_LIMIT_S + 2) / CHUNK_S))]
    assert reply(dogs, chunks) == [Alarm.STEADY_TONE]


def test_speech_of_any_length_is_well(dogs: Watchdogs) -> None:
    assert reply(dogs, speech(60.0)) == []


def test_a_new_connection_begins_with_a_clean_slate(dogs: Watchdogs) -> None:
    dogs.greeting_asked(0.0)
    ask(dogs, 10.0)
    reply(dogs, [])
    ask(dogs, 20.0)
    dogs.stand_down()
    assert dogs.check(100.0) is None
    assert reply(dogs, []) == []
