"""Is this sound a steady tone, as a model in trouble gives instead of speech? Pure.

Two snippets of a steady tone, harmonics included, have the same spectrum; two of speech or noise
have not.
"""

import numpy as np
import numpy.typing as npt

SNIPPET_S = 0.04
STEP_S = 0.2
"""So often a snippet is looked at: 25 us of work in 200 ms of sound."""
ALIKE = 0.95
"""Cosine of two spectra from which they are the same sound."""
LOUD_RMS = 100.0
"""About -50 dBFS: below it there is no tone."""

Spectrum = npt.NDArray[np.float64]


class SteadyTone:
    """Measures how long the sound has been one and the same tone."""

    def __init__(self) -> None:
        self.lasts_s = 0.0
        """For so long the sound so far has been one tone."""
        self._tail = b""
        self._since_s = 0.0
        self._last: Spectrum | None = None

    def hear(self, pcm16: bytes, sample_rate_hz: int) -> None:
        """Take the next piece, of any length."""
        snippet_bytes = 2 * int(sample_rate_hz * SNIPPET_S)
        self._tail = (self._tail + pcm16)[-snippet_bytes:]
        self._since_s += len(pcm16) / 2 / sample_rate_hz
        if self._since_s >= STEP_S and len(self._tail) == snippet_bytes:
            self._compare(_spectrum(self._tail))
            self._since_s = 0.0

    def _compare(self, now: Spectrum | None) -> None:
        same = now is not None and self._last is not None and now.size == self._last.size
        if same and float(np.dot(now, self._last)) >= ALIKE:  # type: ignore[arg-type]
            self.lasts_s += self._since_s
        else:
            self.lasts_s = 0.0
        self._last = now


def _spectrum(pcm16: bytes) -> Spectrum | None:
    """Give the magnitudes as a vector of length one; None where it is too quiet."""
    samples = np.frombuffer(pcm16, dtype="<i2").astype(np.float64)
    if float(np.sqrt(np.mean(samples * samples))) < LOUD_RMS:
        return None
    magnitudes: Spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    length = float(np.linalg.norm(magnitudes))
    return magnitudes / length if length else None
