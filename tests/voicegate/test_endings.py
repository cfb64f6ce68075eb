"""The deciders of a call's end, fed with levels and times alone."""

import pytest

from voicegate.endings import BY_CALLEE, HangupReason, SilenceClock, SpeechDetector, refused_with

FRAME_S = 0.02


def frames_of_speech(levels: list[float]) -> list[int]:
    detector = SpeechDetector()
    return [number for number, level in enumerate(levels) if detector.frame(level)]


def test_five_loud_frames_of_ten_are_speech() -> None:
    assert frames_of_speech([-70.0] * 10 + [-20.0] * 5)[:1] == [14]


def test_a_click_is_no_speech() -> None:
    assert frames_of_speech([-70.0] * 10 + [-10.0] * 4 + [-70.0] * 20) == []


def test_the_last_loud_frame_is_the_end_of_speech() -> None:
    assert frames_of_speech([-70.0] * 10 + [-20.0] * 30 + [-70.0] * 30)[-1] == 39


def test_quiet_speech_counts_and_comfort_noise_does_not() -> None:
    assert frames_of_speech([-75.0] * 20 + [-42.0] * 20)
    assert frames_of_speech([-50.0] * 3000) == []


def test_steady_noise_is_learned_and_speech_over_it_still_counts() -> None:
    noise = [-38.0] * 3000
    heard = frames_of_speech(noise + [-20.0] * 20)
    assert not [number for number in heard if 1000 < number < 3000]
    assert [number for number in heard if number >= 3000]


def test_digital_silence_does_not_sink_the_floor_for_ever() -> None:
    assert frames_of_speech([float("-inf")] * 500 + [-30.0] * 10)


def test_trap_8_the_silence_clock_takes_the_latest() -> None:
    clock = SilenceClock(answered_at=100.0, timeout_s=15.0)
    assert clock.deadline == 115.0
    clock.heard_at(103.0)
    clock.heard_at(101.0)
    assert clock.quiet_since == 103.0
    assert clock.deadline == 118.0


def test_the_model_asks_once_in_a_silence_and_moves_no_clock() -> None:
    clock = SilenceClock(answered_at=100.0, timeout_s=15.0, check_in_s=8.0)
    assert clock.next_at == 108.0
    assert not clock.asks(107.9)
    assert clock.asks(108.0)
    clock.played_at(110.0)
    assert not clock.asks(114.0)
    assert clock.next_at == clock.deadline == 115.0


def test_in_the_next_silence_it_asks_again() -> None:
    clock = SilenceClock(answered_at=100.0, timeout_s=15.0, check_in_s=8.0)
    assert clock.asks(108.0)
    clock.heard_at(100.0)  # an old digit is no answer
    assert clock.next_at == 115.0
    clock.heard_at(112.0)
    clock.played_at(113.0)
    assert (clock.next_at, clock.deadline) == (121.0, 128.0)
    assert clock.asks(121.0)


def test_without_a_check_in_there_is_only_the_end() -> None:
    clock = SilenceClock(answered_at=100.0, timeout_s=15.0)
    assert clock.next_at == 115.0
    assert not clock.asks(114.0)


@pytest.mark.parametrize("reason", HangupReason)
def test_every_reason_says_who_ended_the_call(reason: HangupReason) -> None:
    due = "callee" if reason in BY_CALLEE else "gateway"
    assert reason.ended_by == ("caller" if reason.value.startswith("caller") else due)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, HangupReason.BUSY),
        (600, HangupReason.BUSY),
        (404, HangupReason.NOT_FOUND),
        (603, HangupReason.DECLINED),
        (408, HangupReason.NO_ANSWER),
        (407, HangupReason.NOT_ALLOWED),
        (488, HangupReason.MEDIA_REFUSED),
        (503, HangupReason.UNREACHABLE),
        (302, HangupReason.NOT_CONNECTED),
    ],
)
def test_a_final_answer_to_our_call_has_its_meaning(status: int, reason: HangupReason) -> None:
    assert refused_with(status) is reason
