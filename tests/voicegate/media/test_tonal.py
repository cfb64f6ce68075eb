"""A steady tone is told from speech and noise."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from voicegate.media.tonal import SteadyTone

Wave = npt.NDArray[np.float64]
RATES = (8000, 16000, 24000)


def chunks(wave: Wave, size: int) -> Iterator[bytes]:
    pcm16 = wave.astype("<i2").tobytes()
    for start in range(0, len(pcm16), 2 * size):
        yield pcm16[start : start + 2 * size]


def lasts_s(wave: Wave, rate: int, chunk: int) -> float:
    """The longest tone found in it."""
    steady = SteadyTone()
    longest = 0.0
    for piece in chunks(wave, chunk):
        steady.hear(piece, rate)
        longest = max(longest, steady.lasts_s)
    return longest


def harmonics(hz: float, seconds: float, rate: int) -> Wave:
    at = np.arange(int(seconds * rate)) / rate
    voices = [3000.0 / n * np.sin(2 * np.pi * n * hz * at) for n in range(1, 6)]
    wave: Wave = np.sum(voices, axis=0)
    return wave


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("chunk_ms", [20, 40, 100, 240])
def test_harmonics_that_do_not_change_are_a_tone(rate: int, chunk_ms: int) -> None:
    wave = harmonics(237.0, 8.0, rate)
    assert lasts_s(wave, rate, rate * chunk_ms // 1000) > 7.0


def test_noise_is_none() -> None:
    noise = np.random.default_rng(1).standard_normal(24000 * 30) * 3000
    assert lasts_s(noise, 24000, 2400) < 1.0


def test_a_voice_is_none() -> None:
    """Pitch and loudness go up and down as in a slow, monotonous voice."""
    rate = 24000
    at = np.arange(rate * 30) / rate
    pitch = 140 + 25 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    wave: Wave = np.sum([2500.0 / n * np.sin(n * phase) for n in range(1, 12)], axis=0)
    assert lasts_s(wave * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)), rate, 2400) < 2.0


def test_silence_ends_a_tone() -> None:
    rate = 24000
    steady = SteadyTone()
    for piece in chunks(harmonics(300.0, 3.0, rate), 2400):
        steady.hear(piece, rate)
    assert steady.lasts_s > 2.0
    for piece in chunks(np.zeros(rate), 2400):
        steady.hear(piece, rate)
    assert steady.lasts_s == 0.0


def test_another_rate_begins_anew() -> None:
    steady = SteadyTone()
    for rate in (24000, 16000):
        for piece in chunks(harmonics(300.0, 2.0, rate), rate // 10):
            steady.hear(piece, rate)
    assert steady.lasts_s < 2.0
