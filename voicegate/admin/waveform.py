"""The waveform of a recording: how loud each side was, column by column. Reads files: it blocks."""

import wave
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = 240
FULL_SCALE = 32768


def waveform(recording: Path) -> dict[str, Any]:
    """Give {"seconds", "caller", "model"}: peaks from 0 to 1 of a stereo WAV, COLUMNS at most.

    No more than a column of it is held at once. Raises OSError, EOFError and
    wave.Error.
    """
    with wave.open(str(recording), "rb") as file:
        frames, channels = file.getnframes(), file.getnchannels()
        per_column = max(1, -(-frames // COLUMNS))
        columns = []
        while data := file.readframes(per_column):
            sound = np.frombuffer(data, "<i2").reshape(-1, channels)
            loudest = np.maximum(sound.max(axis=0).astype(int), -sound.min(axis=0).astype(int))
            columns.append([round(float(peak) / FULL_SCALE, 3) for peak in loudest])
        return {
            "seconds": round(frames / file.getframerate(), 1),
            "caller": [column[0] for column in columns],
            "model": [column[-1] for column in columns],
        }
