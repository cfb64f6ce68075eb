"""Signals: the level, pitch and repeatability they promise."""

import numpy as np
import pytest

from simulator.audio.levels import dbfs, speech_heard
from simulator.audio.tones import chirp, noise, speech_like, tone


def strongest_hz(pcm: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(pcm))
    return float(np.argmax(spectrum) * rate / len(pcm))


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_a_tone_has_its_pitch_and_level(rate: int) -> None:
    pcm = tone(440.0, 1.0, rate)

    assert len(pcm) == rate
    assert strongest_hz(pcm, rate) == 440.0
    assert dbfs(pcm) == pytest.approx(-20.0, abs=0.1)


def test_a_chirp_rises() -> None:
    pcm = chirp(500.0, 3000.0, 1.0, 8000)

    assert strongest_hz(pcm[:400], 8000) == pytest.approx(560, abs=80)
    assert strongest_hz(pcm[-400:], 8000) == pytest.approx(2940, abs=80)


def test_noise_and_speech_are_the_same_for_the_same_seed() -> None:
    for make in (noise, speech_like):
        assert make(0.5, 8000, 3).tolist() == make(0.5, 8000, 3).tolist()
        assert make(0.5, 8000, 3).tolist() != make(0.5, 8000, 4).tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [8000, 24000])
def test_speech_is_heard_as_speech(seed: int, rate: int) -> None:
    pcm = speech_like(2.0, rate, seed)

    assert dbfs(pcm) == pytest.approx(-20.0, abs=0.1)
    assert speech_heard(pcm, rate)


def test_nothing_is_fine() -> None:
    assert len(speech_like(0.0, 8000, 1)) == 0
    assert len(tone(440.0, 0.0, 8000)) == 0
