"""The exact change of rate."""

import numpy as np
import pytest

from simulator.audio.levels import dbfs
from simulator.audio.pcm import resample, to_pcm
from simulator.audio.tones import tone


def test_samples_are_rounded_and_clipped() -> None:
    assert to_pcm(np.array([0.5, 1.6, -40000.0, 40000.0])).tolist() == [0, 2, -32768, 32767]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24000, 8000), (8000, 16000), (8000, 24000)])
def test_a_tone_keeps_its_pitch_level_and_place(from_hz: int, to_hz: int) -> None:
    changed = resample(tone(1000.0, 1.0, from_hz), from_hz, to_hz)
    wanted = tone(1000.0, 1.0, to_hz)

    assert len(changed) == to_hz
    assert dbfs(to_pcm(changed.astype(float) - wanted)) < -70.0


def test_what_cannot_exist_at_the_lower_rate_is_gone() -> None:
    assert dbfs(resample(tone(5000.0, 1.0, 24000), 24000, 8000)) < -75.0


def test_odd_lengths_and_nothing_are_fine() -> None:
    assert len(resample(np.ones(481, dtype=np.int16), 24000, 8000)) == 160
    assert len(resample(np.zeros(0, dtype=np.int16), 24000, 8000)) == 0


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        resample(np.zeros(1, dtype=np.int16), 0, 8000)
