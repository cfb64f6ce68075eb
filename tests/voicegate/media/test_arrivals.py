"""The figures of the way: the jitter of the RFC, and the longest gap."""

import pytest

from voicegate.media.arrivals import Arrivals


def test_regular_packets_have_no_jitter() -> None:
    arrivals = Arrivals()
    for number in range(100):
        arrivals.packet((0xFFFFFF00 + 160 * number) & 0xFFFFFFFF, 5.0 + 0.02 * number)
    assert arrivals.jitter_ms == pytest.approx(0, abs=1e-6)
    assert arrivals.max_gap_s == pytest.approx(0.02)


def test_packets_late_in_turn_have_the_jitter_of_the_rfc() -> None:
    arrivals = Arrivals()
    for number in range(400):
        arrivals.packet(160 * number, 0.02 * number + 0.01 * (number % 2))
    assert arrivals.jitter_ms == pytest.approx(10, abs=0.1)
    assert arrivals.max_gap_s == pytest.approx(0.03)


def test_another_stream_is_no_jitter_but_its_silence_is_a_gap() -> None:
    arrivals = Arrivals()
    arrivals.packet(0, 1.0)
    arrivals.packet(0x70000000, 3.5)
    assert arrivals.jitter_ms == 0
    assert arrivals.max_gap_s == 2.5
