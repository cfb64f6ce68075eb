import struct

import pytest

from voicegate.media.dtmf import DigitDetector


def event(code: int, duration: int, end: bool = False) -> bytes:
    return struct.pack("!BBH", code, 0x80 | 10 if end else 10, duration)


def test_each_digit_is_reported_once_however_often_it_is_sent() -> None:
    detector = DigitDetector()
    seen = []
    for code in range(16):
        for step in range(6):
            payload = event(code, 160 * step, end=step > 2)
            seen.append(detector.receive(1000 * code, step == 0, payload))
    assert [digit for digit in seen if digit] == list("0123456789*#ABCD")


def test_the_same_key_twice_is_two_digits() -> None:
    detector = DigitDetector()
    assert detector.receive(100, True, event(5, 160)) == "5"
    assert detector.receive(900, True, event(5, 160)) == "5"


def test_a_lost_beginning_does_not_lose_the_digit_and_a_late_end_does_not_double_it() -> None:
    detector = DigitDetector()
    assert detector.receive(100, False, event(1, 800, end=True)) == "1"
    assert detector.receive(2000, True, event(2, 160)) == "2"
    assert detector.receive(100, False, event(1, 800, end=True)) is None


def test_a_long_tone_in_two_segments_is_one_digit() -> None:
    detector = DigitDetector()
    assert detector.receive(100, True, event(9, 0xFFFF)) == "9"
    assert detector.receive(100 + 0xFFFF, False, event(9, 160)) is None
    assert detector.receive(100 + 2 * 0xFFFF, False, event(9, 160)) is None


def test_other_events_are_no_digits() -> None:
    detector = DigitDetector()
    assert detector.receive(100, True, event(16, 160)) is None
    assert detector.receive(200, True, event(255, 160)) is None


def test_a_short_payload_is_an_error() -> None:
    with pytest.raises(ValueError, match="short"):
        DigitDetector().receive(0, True, b"\x01")
