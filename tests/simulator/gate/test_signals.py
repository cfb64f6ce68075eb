import numpy as np
import pytest

from simulator.audio.levels import dbfs
from simulator.gate.signals import KEY_S, key_frequencies, key_tone, ringing_tone


@pytest.mark.parametrize(
    ("key", "low_hz", "high_hz"),
    [("1", 697, 1209), ("5", 770, 1336), ("#", 941, 1477), ("0", 941, 1336), ("d", 941, 1633)],
)
def test_a_key_is_its_two_tones(key: str, low_hz: float, high_hz: float) -> None:
    assert key_frequencies(key) == (low_hz, high_hz)
    wave = key_tone(key, 8000)[: int(KEY_S * 8000)].astype(float)
    spectrum = np.abs(np.fft.rfft(wave, 8000))
    for hz in (low_hz, high_hz):
        peak = int(hz) - 40 + int(np.argmax(spectrum[int(hz) - 40 : int(hz) + 41]))
        # ITU-T Q.24: within 1.5 %.
        assert abs(peak - hz) <= 0.015 * hz
    assert dbfs(wave.astype(np.int16)) == pytest.approx(-13.0, abs=1.0)


@pytest.mark.parametrize("key", ["", "x", "12"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        key_frequencies(key)


def test_the_ringing_tone_is_one_second_of_five() -> None:
    pcm = ringing_tone(6.5).pcm(1, 8000)
    assert len(pcm) == 6.5 * 8000
    assert dbfs(pcm[:8000]) > -25
    assert not pcm[8000:40000].any()
    assert dbfs(pcm[40000:48000]) > -25
