"""How loud a frame is."""

import math

from voicegate.media.codec import rms

FULL_SCALE = 32768
SILENT_DBFS = -96.0


def level_dbfs(pcm16: bytes) -> float:
    """Give the RMS level of PCM16 in dB under full scale; digital silence is SILENT_DBFS."""
    root_mean_square = rms(pcm16)
    return 20 * math.log10(root_mean_square / FULL_SCALE) if root_mean_square else SILENT_DBFS
