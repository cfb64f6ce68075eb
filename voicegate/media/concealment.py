"""What a caller sounds like while a packet is missing: the last pitch periods, fading out.

After G.711 appendix I: the waveform goes on with its last pitch period, at full level for 10 ms,
then falling to nothing at 60 ms. Repeating the last frame as it is jumps at each seam and buzzes.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

from voicegate.media.codec import FRAME_SAMPLES, SILENCE_FRAME

Samples = npt.NDArray[np.float64]

_HISTORY_FRAMES = 3
_LAG_MIN = 32
"""Samples: 250 Hz; a shorter pitch is found as a multiple of its period."""
_LAG_MAX = 160
"""Samples: 50 Hz."""
_MATCH = 160
"""Samples compared to find the pitch."""
_HOLD = 80
"""Samples at full level: 10 ms."""
_FADE_END = 480
"""Samples until nothing is left: 60 ms."""
_BLEND = 40
"""Samples over which the true signal gives way or takes over again: 5 ms."""
CONCEALED_FRAMES_MAX = _FADE_END // FRAME_SAMPLES


class Concealer:
    """Remembers the last frames of a stream, and makes up for missing ones."""

    def __init__(self) -> None:
        self._recent: deque[bytes] = deque(maxlen=_HISTORY_FRAMES)
        self._period: Samples | None = None
        self._made = 0

    @property
    def active(self) -> bool:
        """Whether the last frame was made up, so that the next true one must be joined to it."""
        return self._period is not None

    @property
    def faded_out(self) -> bool:
        """Whether nothing is left to make up a frame from but silence."""
        return self._made >= CONCEALED_FRAMES_MAX or not self._recent

    def remember(self, frame: bytes) -> None:
        """Take a true frame that was played as it came."""
        self._recent.append(frame)

    def conceal(self) -> bytes:
        """Make up the next frame; silence once the fade is over or nothing was ever heard."""
        if self._period is None:
            self._period = self._last_period()
        frame = self._synthetic(self._made * FRAME_SAMPLES)
        self._made += 1
        return SILENCE_FRAME if frame is None else _to_pcm16(frame)

    def mend(self, frame: bytes, here: bytes | bytearray) -> bytes:
        """Give a true frame, its holes made up, blended at each seam and with what went before.

        `here` has a 1 for each of the 160 samples that came, and a 0 for each that did not.
        """
        come = np.frombuffer(here, dtype=np.uint8)
        if self._period is None and not come.all():
            self._period = self._last_period()
            before = come[0]
        else:
            before = np.uint8(0)
        made_up = self._synthetic(self._made * FRAME_SAMPLES)
        weight = _weight(come, before)
        mixed = np.frombuffer(frame, dtype="<i2") * weight
        if made_up is not None:
            mixed += made_up * (1 - weight)
        mended = _to_pcm16(mixed)
        if come[-1]:
            self._period, self._made = None, 0
            self._recent.append(mended)
        else:
            self._made += 1
        return mended

    def forget(self) -> None:
        """Start anew: another stream begins."""
        self._recent.clear()
        self._period, self._made = None, 0

    def _synthetic(self, offset: int) -> Samples | None:
        """The made-up signal, 20 ms from `offset` samples after the last true one."""
        if self._period is None or not len(self._period) or offset >= _FADE_END:
            return None
        at = np.arange(offset, offset + FRAME_SAMPLES)
        gain = np.clip((_FADE_END - at) / (_FADE_END - _HOLD), 0.0, 1.0)
        made_up: Samples = self._period[at % len(self._period)] * gain
        return made_up

    def _last_period(self) -> Samples:
        heard = np.frombuffer(b"".join(self._recent), dtype="<i2").astype(np.float64)
        if len(heard) < _LAG_MAX + _MATCH:
            return heard
        return heard[-_pitch_lag(heard[-(_LAG_MAX + _MATCH) :]) :]


def _pitch_lag(heard: Samples) -> int:
    """The shift at which the last 20 ms look most like what came before them."""
    target = heard[-_MATCH:]
    # alike[k] belongs to the shift _LAG_MAX - k.
    alike = np.correlate(heard[: _MATCH + _LAG_MAX - _LAG_MIN], target, mode="valid")
    squares = np.concatenate(((0.0,), np.cumsum(heard * heard)))
    energy = squares[_MATCH : _MATCH + len(alike)] - squares[: len(alike)]
    return _LAG_MAX - int(np.argmax(alike / np.sqrt(energy + 1.0)))


def _weight(come: npt.NDArray[np.uint8], before: np.uint8) -> Samples:
    """The part of the true signal in each sample: 0 in a hole, rising to 1 over 5 ms beside it."""
    around = np.concatenate((np.repeat(before, _BLEND), come, np.repeat(come[-1], _BLEND)))
    share = np.convolve(around, np.full(2 * _BLEND + 1, 1 / (2 * _BLEND + 1)), mode="valid")
    weight: Samples = np.clip(2 * share - 1, 0.0, 1.0) * come
    return weight


def splice(first: bytes, second: bytes) -> bytes:
    """One frame that begins as `first` and ends as `second`."""
    weight = np.arange(FRAME_SAMPLES) / FRAME_SAMPLES
    begins = np.frombuffer(first, dtype="<i2")
    ends = np.frombuffer(second, dtype="<i2")
    return _to_pcm16(begins * (1 - weight) + ends * weight)


def _to_pcm16(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
