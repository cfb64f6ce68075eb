"""The timeline of one ear: pieces at their time, and the proof of whose they are."""

from dataclasses import dataclass

import numpy as np
import pytest

from simulator.audio.heard import Evidence, Heard
from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound, speech, stamps
from simulator.audio.stamps import Stamp
from simulator.audio.tones import noise


@dataclass(frozen=True)
class Voice:
    """A source with an identity."""

    identity: int
    """What its stamps say."""


CALLER = Voice(7)


def listen(heard: Heard, sound: Sound, identity: int, at_s: float, late_s: list[float]) -> None:
    """Frames of 20 ms, the n-th one late by the n-th of `late_s` (again from the first)."""
    for n, frame in enumerate(sound.frames(identity, 8000)):
        heard.add(frame, 8000, at_s + n * 0.02 + late_s[n % len(late_s)])


def frame(value: int, samples: int = 160) -> Pcm:
    return np.full(samples, value, dtype=np.int16)


def test_regular_packets_are_placed_to_the_sample() -> None:
    heard = Heard()
    sound = speech(3.0)
    listen(heard, sound, 1, 1000.0, [0.0])

    assert heard.start_s == 1000.0
    assert heard.end_s == 1003.0
    assert heard.pieces == 150
    assert heard.pcm(8000).tolist() == sound.pcm(1, 8000).tolist()
    assert heard.longest_gap_s() == 0.0


def test_jitter_of_arrival_chops_nothing() -> None:
    heard = Heard()
    listen(heard, stamps(count=10), 7, 1000.0, [0.0, 0.05, 0.013, 0.04, 0.029])

    assert heard.only_from(CALLER, at_least=10)
    assert [round(stamp.at_s, 3) for stamp in heard.stamps()] == [1000.0 + n for n in range(10)]


def test_a_burst_is_heard_one_after_another() -> None:
    heard = Heard()
    for value in (1, 2, 3):
        heard.add(frame(value), 8000, 5.0)

    assert heard.pcm(8000).tolist() == [1] * 160 + [2] * 160 + [3] * 160
    assert heard.duration_s == pytest.approx(0.06)


def test_a_pause_is_a_hole_of_its_length() -> None:
    heard = Heard()
    heard.add(frame(1), 8000, 5.0)
    heard.add(frame(2), 8000, 6.0)
    line = heard.pcm(8000)

    assert len(line) == 8160
    assert not np.any(line[160:8000])
    assert line[8000] == 2
    assert heard.longest_gap_s() == pytest.approx(0.98)


def test_a_known_loss_leaves_a_hole() -> None:
    heard = Heard()
    heard.add(frame(1), 8000, 5.0)
    heard.add(frame(2), 8000, 5.04, lost_s=0.02)

    assert heard.pcm(8000).tolist() == [1] * 160 + [0] * 160 + [2] * 160


def test_stamps_survive_packets_that_are_lost_without_a_word() -> None:
    heard = Heard()
    for n, each in enumerate(stamps(count=20).frames(7, 8000)):
        if n % 97:
            heard.add(each, 8000, 1000.0 + n * 0.02)

    evidence = heard.only_from(CALLER, at_least=18)
    assert evidence, evidence


def test_a_window_of_the_timeline() -> None:
    heard = Heard()
    heard.add(frame(1), 8000, 10.0)
    heard.add(frame(2), 8000, 11.0)

    assert heard.pcm(8000, from_s=9.99, until_s=10.01).tolist() == [0] * 80 + [1] * 80
    assert heard.pcm(8000, from_s=10.99).tolist() == [0] * 80 + [2] * 160
    assert len(heard.pcm(16000, from_s=10.0, until_s=11.0)) == 16000
    assert len(Heard().pcm(8000, from_s=1.0, until_s=2.0)) == 8000


def test_pieces_of_another_rate_join_the_timeline() -> None:
    heard = Heard()
    heard.add(stamps(count=2).pcm(7, 24000), 24000, 0.0)
    heard.add(stamps(count=2, start=2).pcm(7, 8000), 8000, 2.0)

    assert heard.only_from(CALLER, at_least=4)


def test_memory_is_bounded_and_what_goes_is_counted() -> None:
    heard = Heard(limit_s=2.0)
    for n in range(250):
        heard.add(frame(n), 8000, n * 0.02)

    assert heard.duration_s == pytest.approx(2.0)
    assert heard.dropped_s == pytest.approx(3.0)
    assert heard.sounded_s == pytest.approx(5.0)
    assert heard.start_s == pytest.approx(3.0)


def test_holes_are_a_part_of_the_duration_and_not_of_the_sound() -> None:
    """A conversation of two short replies was once said to have spoken all the time between."""
    heard = Heard()
    for at_s in (0.0, 5.0):
        heard.add(frame(1), 8000, at_s)

    assert heard.duration_s == pytest.approx(5.02)
    assert heard.sounded_s == pytest.approx(0.04)
    assert Heard().sounded_s == 0.0


def test_nothing_heard() -> None:
    heard = Heard()
    heard.add(frame(0, samples=0), 8000, 1.0)

    assert (heard.start_s, heard.end_s, heard.duration_s) == (None, None, 0.0)
    assert len(heard.pcm(8000)) == 0
    assert heard.stamps() == []
    assert heard.level_dbfs() == -120.0
    assert heard.silent()
    assert not heard.speech()
    assert heard.longest_gap_s() == 0.0


def test_speech_is_heard_as_such() -> None:
    heard = Heard()
    listen(heard, speech(2.0), 1, 0.0, [0.0])

    assert heard.speech()
    assert not heard.silent()
    assert heard.level_dbfs() == pytest.approx(-20.0, abs=0.1)


def test_too_few_is_no_proof_and_says_so() -> None:
    heard = Heard()
    listen(heard, stamps(count=2), 7, 0.0, [0.0])
    evidence = heard.only_from(CALLER, at_least=3)

    assert not evidence
    assert repr(evidence).startswith(
        "only identity 7 NOT proven to be heard: 2 own stamps of at least 3 (sequence 0, 1); level"
    )
    assert heard.only_from(CALLER, at_least=2)


def test_one_foreign_stamp_is_enough_to_fail() -> None:
    heard = Heard()
    listen(heard, stamps(count=5), 7, 0.0, [0.0])
    listen(heard, stamps(count=1), 8, 5.0, [0.0])
    evidence = heard.only_from(CALLER, at_least=3)

    assert not evidence
    assert "1 FOREIGN (identity 8 at 5.00 s)" in repr(evidence)


def test_order_must_grow_across_the_wrap() -> None:
    def evidence(*numbers: int) -> Evidence:
        found = tuple(Stamp(7, number, float(n), -20.0) for n, number in enumerate(numbers))
        return Evidence(7, 2, found, -20.0)

    assert evidence(254, 255, 0, 2)
    assert not evidence(1, 0)
    assert not evidence(1, 1)
    assert "NOT in growing order" in repr(evidence(1, 0))


def test_noise_proves_nothing() -> None:
    heard = Heard()
    heard.add(noise(5.0, 8000, seed=1), 8000, 0.0)
    evidence = heard.only_from(CALLER, at_least=1)

    assert not evidence
    assert "sequence none" in repr(evidence)
    assert "level -20.1 dBFS" in repr(evidence)


def test_holes_are_where_nothing_arrived() -> None:
    ear = Heard()
    piece = np.full(160, 1000, dtype=np.int16)
    for at_s in (5.0, 5.02, 5.24, 5.26, 5.28):
        ear.add(piece, 8000, at_s)
    ear.add(piece, 8000, 5.34, lost_s=0.04)

    assert ear.holes() == [pytest.approx((5.04, 5.24)), pytest.approx((5.3, 5.34))]
    assert ear.longest_gap_s() == pytest.approx(0.2)
    assert Heard().holes() == []
