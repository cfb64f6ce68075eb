"""How loud is it: levels in dBFS, where 0 dBFS is the power of a full-scale square wave."""

import numpy as np

from simulator.audio.pcm import FULL_SCALE, Floats, Pcm, samples_in

FLOOR_DBFS = -120.0
FRAME_S = 0.02
SILENT_FRAME_DBFS = -60.0
SPEECH_FRAME_DBFS = -45.0
SPEECH_WHOLE_DBFS = -35.0
SPEECH_SHARE = 0.4


def amplitude(level_dbfs: float) -> float:
    """The root-mean-square value, in PCM16 units, of that level."""
    return float(FULL_SCALE * 10.0 ** (level_dbfs / 20.0))


def dbfs(pcm: Pcm) -> float:
    """The level of the whole; -120.0 for digital silence and for no samples at all."""
    if len(pcm) == 0:
        return FLOOR_DBFS
    power = float(np.mean(np.square(pcm, dtype=np.float64))) / FULL_SCALE**2
    return max(FLOOR_DBFS, 10.0 * float(np.log10(power))) if power > 0 else FLOOR_DBFS


def frame_levels(pcm: Pcm, rate: int) -> Floats:
    """The level in dBFS of each whole 20 ms frame; an unfinished last frame is left out."""
    size = samples_in(FRAME_S, rate)
    count = len(pcm) // size
    frames = pcm[: count * size].astype(np.float64).reshape(count, size) / FULL_SCALE
    power = np.mean(frames * frames, axis=1)
    levels: Floats = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DBFS / 10.0)))
    return levels


def speech_heard(pcm: Pcm, rate: int) -> bool:
    """Energy worth calling speech: 40 % of the frames above -45 dBFS and the whole above -35."""
    levels = frame_levels(pcm, rate)
    if len(levels) == 0:
        return False
    loud = float(np.mean(levels > SPEECH_FRAME_DBFS))
    return loud >= SPEECH_SHARE and dbfs(pcm) > SPEECH_WHOLE_DBFS


def silent(pcm: Pcm, rate: int, below_dbfs: float = SILENT_FRAME_DBFS) -> bool:
    """True when no 20 ms frame is as loud as `below_dbfs`; no samples at all are silent."""
    levels = frame_levels(pcm, rate)
    rest = pcm[len(levels) * samples_in(FRAME_S, rate) :]
    return bool(np.all(levels < below_dbfs)) and dbfs(rest) < below_dbfs
