"""What was spoken, found in a recording that is mostly silence."""

import numpy as np
import pytest

from ci.interop_job.ears import spoken_span, stamps_start_s
from simulator.audio.pcm import Pcm
from simulator.audio.sound import silence_for, stamps
from simulator.audio.stamps import STAMP_S, decode
from simulator.audio.tones import noise, speech_like, tone

RATE = 8000


def silence(seconds: float) -> Pcm:
    return silence_for(seconds).pcm(0, RATE)


def test_speech_between_silences_is_found_and_judged_alone() -> None:
    recording = np.concatenate((silence(6.0), speech_like(2.0, RATE, seed=3), silence(9.0)))

    span = spoken_span(recording, RATE)

    assert span.speech
    assert span.start_s == pytest.approx(6.0, abs=0.2)
    assert span.duration_s == pytest.approx(2.0, abs=0.3)


def test_nothing_is_no_speech() -> None:
    for recording in (silence(2.0), silence(0.0), noise(2.0, RATE, seed=1, level_dbfs=-50.0)):
        span = spoken_span(recording, RATE)

        assert not span.speech
        assert span.duration_s == 0.0


def test_two_clicks_far_apart_are_no_speech() -> None:
    click = tone(400.0, 0.02, RATE)
    recording = np.concatenate((silence(1.0), click, silence(2.0), click, silence(1.0)))

    span = spoken_span(recording, RATE)

    assert not span.speech
    assert span.duration_s == pytest.approx(2.04, abs=0.001)


def test_only_what_lies_between_the_two_points_counts() -> None:
    beep = tone(400.0, 0.5, RATE)
    recording = np.concatenate((beep, silence(0.5), beep, silence(0.5), beep))

    span = spoken_span(recording, RATE, from_s=0.8, to_s=1.8)

    assert span.speech
    assert span.start_s == pytest.approx(1.0)
    assert span.duration_s == pytest.approx(0.5)


@pytest.mark.parametrize("torn", [0, 1, 2])
def test_a_torn_stamp_does_not_move_where_the_stamps_begin(torn: int) -> None:
    """The first was torn once, and then counted as a part of the sentence before it."""
    recording = np.concatenate((silence(1.0), stamps(0.6, 3).pcm(7, RATE)))
    begins = round((1.0 + torn * 0.6) * RATE)
    recording[begins + 800 : begins + round(STAMP_S * RATE)] = 0

    found = decode(recording, RATE)

    assert [stamp.sequence for stamp in found] == [one for one in range(3) if one != torn]
    assert stamps_start_s(found, 0.6) == pytest.approx(1.0, abs=0.02)


def test_without_stamps_there_is_no_start() -> None:
    assert stamps_start_s([], 0.6) is None
