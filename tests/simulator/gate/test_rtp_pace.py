import pytest

from simulator.gate.rtp_judge import RtpStats
from simulator.gate.rtp_pace import Pace


def rules(play: object, *, exact: bool = True, until: float = 1.0) -> list[str]:
    pace = Pace(RtpStats(), exact=exact)
    play(pace)  # type: ignore[operator]
    return [violation.rule for violation in pace.judge(until)]


def stream(pace: Pace, start: float, count: int, every_s: float = 0.02) -> None:
    for number in range(count):
        pace.packet(start + number * every_s)


def test_an_even_stream_is_right() -> None:
    def play(pace: Pace) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 50)

    assert rules(play) == []
    assert rules(play, until=1.05) == ["rtp-gap"]
    assert rules(play, until=1.05, exact=False) == []


@pytest.mark.parametrize("first_s", [-0.4, 0.0])
def test_what_comes_before_it_is_due_counts_for_nothing(first_s: float) -> None:
    def play(pace: Pace) -> None:
        pace.packet(first_s)  # early media, then a pause
        pace.due(0.0)
        stream(pace, 0.01, 50)

    assert rules(play) == []


def test_a_hold_is_no_gap_and_a_late_resume_is() -> None:
    def play(pace: Pace, resumed_s: float) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 10)
        pace.not_due(0.2)
        pace.due(0.5)
        stream(pace, resumed_s, int((1.0 - resumed_s) / 0.02 + 0.5))

    assert rules(lambda pace: play(pace, 0.51)) == []
    assert rules(lambda pace: play(pace, 0.53)) == ["rtp-gap"]


def test_a_stream_that_stops_before_the_hold_is_named() -> None:
    def play(pace: Pace) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 5)
        pace.not_due(0.2)

    assert rules(play) == ["rtp-gap"]


def test_events_have_a_pace_of_their_own() -> None:
    def play(pace: Pace, last_s: float) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 5)
        for at_s in (0.1, 0.15, 0.2, last_s):
            pace.event(at_s)
        stream(pace, last_s + 0.05, int((0.95 - last_s) / 0.02 + 0.5))

    assert rules(lambda pace: play(pace, 0.25)) == []
    assert rules(lambda pace: play(pace, 0.45)) == ["rtp-gap"]


def test_uneven_packets_are_named_where_time_is_exact() -> None:
    def play(pace: Pace) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 50)
        pace.packet(0.985)

    assert rules(play) == ["rtp-spacing"]
    assert rules(play, exact=False) == []


def test_a_stream_that_is_slow_on_the_whole_is_named_in_real_time() -> None:
    def play(pace: Pace) -> None:
        pace.due(0.0)
        stream(pace, 0.0, 300, 0.0205)

    assert rules(play, exact=False, until=6.15) == ["rtp-spacing"]
