"""How loud a call is, each way: for the figures always, for the live page while somebody looks."""

import math
from collections.abc import Callable

from voicegate.media.codec import rms
from voicegate.media.level import FULL_SCALE, SILENT_DBFS

SPARED_FRAMES = 5
"""While nobody looks only each fifth frame is measured: ten a second tell how loud a call is."""
SOUND_RMS = 33
"""-60 dBFS: what is quieter is a pause and does not count in the level of the sound."""


class Lane:
    """One direction."""

    def __init__(self) -> None:
        self._loudest = 0
        self._squares = 0
        self._sounding = 0

    def take(self, pcm16: bytes) -> None:
        """Measure one frame."""
        root_mean_square = rms(pcm16)
        self._loudest = max(self._loudest, root_mean_square)
        if root_mean_square > SOUND_RMS:
            self._squares += root_mean_square * root_mean_square
            self._sounding += 1

    def look(self) -> float:
        """Give the level of the loudest frame since the last look, in dBFS."""
        loudest, self._loudest = self._loudest, 0
        return round(_dbfs(loudest), 1)

    @property
    def sound_dbfs(self) -> float:
        """How loud the sound of the whole call was, its pauses left out; SILENT_DBFS for none."""
        return (
            round(_dbfs(math.sqrt(self._squares / self._sounding)), 1)
            if self._sounding
            else (SILENT_DBFS)
        )


class Meter:
    """Both directions of one call, fed by the tap of its media."""

    def __init__(self, watched: Callable[[], bool]) -> None:
        self.caller = Lane()
        self.model = Lane()
        self._watched = watched
        self._frames = 0

    def tap(self, heard: bytes, said: bytes, _now: float) -> None:
        """Take both frames of one tick."""
        self._frames += 1
        if self._frames % SPARED_FRAMES == 0 or self._watched():
            self.caller.take(heard)
            self.model.take(said)


def _dbfs(root_mean_square: float) -> float:
    return 20 * math.log10(root_mean_square / FULL_SCALE) if root_mean_square else SILENT_DBFS
