"""What a caller hears while nobody can speak: a soft tone now and then, so that the line lives."""

from functools import cache

import numpy as np

from voicegate.media.codec import FRAME_SAMPLES, SAMPLE_RATE_HZ

PERIOD_S = 2.0
TONE_S = 0.3
TONE_HZ = 425.0
TONE_PEAK = 1000
"""-30 dBFS: to be noticed, not to startle."""
NOISE_PEAK = 60
"""-55 dBFS: what a line sounds like where nobody speaks."""


class Comfort:
    """The sound in place of silence, from a given time on."""

    def __init__(self) -> None:
        self._from: float | None = None

    def begin(self, at: float) -> None:
        """Sound from then on, unless stopped before."""
        self._from = at

    def stop(self) -> None:
        """Be silent again."""
        self._from = None

    def take(self, now: float) -> bytes | None:
        """Give this tick's Frame, None for silence."""
        if self._from is None or now < self._from:
            return None
        frames = comfort_frames()
        return frames[round((now - self._from) * SAMPLE_RATE_HZ / FRAME_SAMPLES) % len(frames)]


@cache
def comfort_frames() -> tuple[bytes, ...]:
    """Render one period, once a process."""
    size = round(PERIOD_S * SAMPLE_RATE_HZ)
    sound = np.random.default_rng(1).uniform(-NOISE_PEAK, NOISE_PEAK, size)
    time_s = np.arange(round(TONE_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    # raised at both ends by a half sine: a tone that is switched clicks
    swell = np.sin(np.pi * time_s / TONE_S)
    sound[: len(time_s)] += TONE_PEAK * swell * np.sin(2 * np.pi * TONE_HZ * time_s)
    frames = sound.astype("<i2").reshape(-1, FRAME_SAMPLES)
    return tuple(frame.tobytes() for frame in frames)
