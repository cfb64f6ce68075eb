"""Keys as tones in the audio (ITU-T Q.23): found in what the caller sends, and made by us.

A telephone without telephone-events sends them so. Speech must not be taken for them (talk-off):
nearly all of the power must be in one low and one high tone, for 40 ms without a break.
"""

import numpy as np
import numpy.typing as npt

from voicegate.media.codec import FRAME_SAMPLES, SAMPLE_RATE_HZ, rms

_ROWS_HZ = (697, 770, 852, 941)
_COLUMNS_HZ = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")

_HOP = FRAME_SAMPLES // 2
_RMS_MIN = 180
"""Quieter frames (-45 dBFS) are not looked at: a key pressed is loud."""
_SHARE_MIN = 0.72
"""Of the power, in the two tones: a window that a tone fills to three quarters still counts."""
_SHARE_SURE = 0.93
"""Of the power, in one window of a press at least: what speech does not reach."""
_TWIST_MAX = 6.5
"""The one tone is at most 8 dB stronger than the other (ITU-T Q.24)."""
_OTHERS_MAX = 0.3
"""Of the power of its own group's next tone."""
_WINDOWS_ON = 3
"""Windows 10 ms apart, each of 20 ms, that must agree: 40 ms of tone, as Q.24 asks for."""
_WINDOWS_OFF = 3
"""Windows without it that end a press: Q.24 does not let 10 ms of nothing split one."""
_LEVEL = 6500
"""Amplitude of each tone that we make: -14 dBFS."""


_DETUNED = (0.986, 0.993, 1.0, 1.007, 1.014)
"""Each tone is looked for off its frequency too: Q.24 lets it be off by 1.5 %."""
_TONES = len(_ROWS_HZ) + len(_COLUMNS_HZ)


def _waves() -> npt.NDArray[np.float64]:
    """Cosines, then sines: for each detuning all the tones."""
    at = np.arange(FRAME_SAMPLES) * (2 * np.pi / SAMPLE_RATE_HZ)
    angles = np.outer(at, np.outer(_DETUNED, (*_ROWS_HZ, *_COLUMNS_HZ)))
    return np.hstack((np.cos(angles), np.sin(angles)))


_WAVES = _waves()


class ToneDetector:
    """Listens to the frames of one caller, 20 ms at a time."""

    def __init__(self) -> None:
        self._before = bytes(2 * _HOP)
        self._key = ""
        self._seen = 0
        self._sure = False
        self._missed = 0
        self._down = ""

    def frame(self, pcm16: bytes) -> str:
        """Take the next frame; give the key that has just been pressed, "" for none."""
        sound = self._before + pcm16
        self._before = pcm16[2 * _HOP :]
        if rms(pcm16) < _RMS_MIN:
            self._miss(2)
            return ""
        found = ""
        for key, sure in _keys_in(np.frombuffer(sound, dtype="<i2").astype(np.float64)):
            found = self._window(key, sure) or found
        return found

    def _window(self, key: str, sure: bool) -> str:
        if not key:
            self._miss(1)
            return ""
        self._missed = 0
        same = key == self._key
        self._seen, self._sure = (self._seen + 1, self._sure or sure) if same else (1, sure)
        self._key = key
        if self._seen < _WINDOWS_ON or not self._sure or key == self._down:
            return ""
        self._down = key
        return key

    def _miss(self, windows: int) -> None:
        self._key, self._seen = "", 0
        self._missed += windows
        if self._missed >= _WINDOWS_OFF:
            self._down = ""


def _keys_in(samples: npt.NDArray[np.float64]) -> list[tuple[str, bool]]:
    """The key in each of the two windows of 20 ms, 10 ms apart, and whether it is sure."""
    windows = np.stack((samples[:FRAME_SAMPLES], samples[_HOP:]))
    parts = np.square(windows @ _WAVES)
    half = len(_DETUNED) * _TONES
    power = (parts[:, :half] + parts[:, half:]).reshape(2, len(_DETUNED), _TONES).max(axis=1)
    whole = np.einsum("ij,ij->i", windows, windows)
    return [_key(one, of) for one, of in zip(power.tolist(), whole.tolist(), strict=True)]


def _key(power: list[float], whole: float) -> tuple[str, bool]:
    """The key, "" for none, and whether hardly anything else is to be heard."""
    rows, columns = power[: len(_ROWS_HZ)], power[len(_ROWS_HZ) :]
    low, high = max(rows), max(columns)
    share = 2 * (low + high) / (FRAME_SAMPLES * whole) if whole else 0.0
    if share < _SHARE_MIN:
        return "", False
    if max(low, high) > _TWIST_MAX * min(low, high):
        return "", False
    if sorted(rows)[2] > _OTHERS_MAX * low or sorted(columns)[2] > _OTHERS_MAX * high:
        return "", False
    return _KEYS[rows.index(low)][columns.index(high)], share > _SHARE_SURE


def key_tone(digit: str, frame: int) -> bytes:
    """Frame number `frame` of the tone of a key, as PCM16."""
    row = next(number for number, keys in enumerate(_KEYS) if digit in keys)
    pair = (_ROWS_HZ[row], _COLUMNS_HZ[_KEYS[row].index(digit)])
    at = np.arange(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES) / SAMPLE_RATE_HZ
    tone = sum(np.sin(2 * np.pi * hz * at) for hz in pair)
    return np.asarray(np.rint(_LEVEL * tone), dtype="<i2").tobytes()
