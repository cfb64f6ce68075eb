"""The soft sound while nobody can speak."""

import numpy as np

from voicegate.media.codec import FRAME_BYTES
from voicegate.media.comfort import PERIOD_S, Comfort, comfort_frames
from voicegate.media.level import level_dbfs

NOW = 1000.0


def test_it_begins_when_told_and_not_before() -> None:
    comfort = Comfort()
    assert comfort.take(NOW) is None
    comfort.begin(NOW + 1)
    assert comfort.take(NOW + 0.98) is None
    assert comfort.take(NOW + 1) is not None
    comfort.stop()
    assert comfort.take(NOW + 2) is None


def test_it_never_falls_silent_and_never_startles() -> None:
    comfort = Comfort()
    comfort.begin(NOW)
    frames = [comfort.take(NOW + 0.02 * n) or b"" for n in range(round(3 * PERIOD_S / 0.02))]
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    levels = [level_dbfs(frame) for frame in frames]
    assert min(levels) > -65
    assert -40 < max(levels) < -30


def test_it_goes_round_without_a_click() -> None:
    sound = np.frombuffer(b"".join(comfort_frames() * 2), "<i2").astype(int)
    assert np.abs(np.diff(sound)).max() < 600
    assert comfort_frames() is comfort_frames()
