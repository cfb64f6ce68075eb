import struct

import pytest

from voicegate.media.dtmf import DigitDetector, KeyLog, KeyPresses, digits_of_info


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


def test_a_gate_whose_timestamps_grow_within_an_event_sends_one_digit() -> None:
    detector = DigitDetector()
    seen = [detector.receive(100 + 160 * n, n == 0, event(4, 160 * (n + 1))) for n in range(4)]
    seen += [detector.receive(740, False, event(4, 640, end=True)) for _ in range(3)]
    assert seen == ["4"] + [None] * 6
    assert detector.receive(2000, False, event(4, 160)) == "4"


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Duration=160\nsignal = a\n", "A"),
        ("Application/DTMF-Relay; charset=x", b"Signal=*\r\n", "*"),
        ("application/dtmf-relay", b"Signal=11\r\n", "#"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf", b"10\r\n", "*"),
        ("application/dtmf", b"Signal=3", "3"),
        ("application/dtmf", b"x", ""),
        ("application/dtmf", b"\xff\xfe", ""),
        ("application/dtmf", b"", ""),
        ("application/dtmf-relay", b"Signal=16\r\n", ""),
        ("text/plain", b"5", ""),
    ],
)
def test_dtmf_by_info_in_both_bodies(kind: str, body: bytes, digit: str) -> None:
    assert digits_of_info(kind, body) == digit


def test_one_press_that_comes_by_two_ways_is_one_key() -> None:
    keys = KeyLog()
    ways = [keys.note("5", way, at) for way, at in (("event", 1.0), ("info", 1.2), ("tone", 1.4))]
    assert ways == [True, False, False]
    assert keys.note("5", "event", 1.3)
    assert keys.note("6", "info", 1.35)
    assert keys.note("6", "event", 2.0)
    assert (keys.digits, keys.count, keys.last_at) == ("5566", 4, 2.0)


def test_a_key_of_ours_grows_ends_three_times_and_pauses() -> None:
    keys = KeyPresses()
    keys.add("#")
    frames = []
    while keys.busy:
        frames.append(keys.take())
    assert [len(frame.payload) for frame in frames] == [4] * 8 + [0] * 2
    assert {frame.payload[0] for frame in frames if frame.payload} == {11}
    assert [frame.sounds for frame in frames] == [True] * 5 + [False] * 5
    assert not keys.pressed
