"""How loud, and what counts as silence or speech."""

import numpy as np
import pytest

from simulator.audio.levels import amplitude, dbfs, frame_levels, silent, speech_heard
from simulator.audio.tones import noise, speech_like, tone


def test_full_scale_and_silence() -> None:
    assert dbfs(np.full(100, -32768, dtype=np.int16)) == pytest.approx(0.0)
    assert dbfs(np.zeros(100, dtype=np.int16)) == -120.0
    assert dbfs(np.zeros(0, dtype=np.int16)) == -120.0
    assert amplitude(-20.0) == pytest.approx(3276.8)


def test_each_whole_frame_has_a_level() -> None:
    pcm = np.concatenate((np.zeros(160, dtype=np.int16), tone(400.0, 0.05, 8000)))
    levels = frame_levels(pcm, 8000)

    assert len(levels) == 3
    assert levels[0] == -120.0
    assert levels[1] == pytest.approx(-20.8, abs=0.5)


def test_speech_is_heard_and_noise_at_line_level_is_not() -> None:
    assert speech_heard(speech_like(3.0, 8000, seed=1), 8000)
    assert not speech_heard(noise(3.0, 8000, seed=1, level_dbfs=-50.0), 8000)
    assert not speech_heard(np.zeros(0, dtype=np.int16), 8000)


def test_a_short_click_is_no_speech() -> None:
    pcm = np.zeros(8000, dtype=np.int16)
    pcm[4000:4160] = 20000
    assert not speech_heard(pcm, 8000)
    assert not silent(pcm, 8000)


def test_silence_allows_for_comfort_noise_only() -> None:
    assert silent(noise(1.0, 8000, seed=2, level_dbfs=-66.0), 8000)
    assert not silent(noise(1.0, 8000, seed=2, level_dbfs=-55.0), 8000)
    assert silent(np.zeros(0, dtype=np.int16), 8000)


def test_an_unfinished_last_frame_counts_as_sound() -> None:
    pcm = np.zeros(240, dtype=np.int16)
    pcm[200:] = 1000
    assert not silent(pcm, 8000)
