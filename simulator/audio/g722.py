"""G.722 as a wideband phone speaks it (16 kHz, RFC 3551 4.5.2), between ears and mouths of 8 kHz.

The package G722 codes; the change of rate is this side's own, so that what the gateway does to
the upper band is judged by a filter that it does not share.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from simulator.audio.pcm import Floats, Pcm, to_pcm

INSTALLED = find_spec("G722") is not None
TAPS = 129


@cache
def _half_band() -> Floats:
    """A low-pass at 16 kHz that ends below 4 kHz: a windowed sinc."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    shape = np.sinc(at * 2 * 3800 / 16000) * np.blackman(TAPS)
    taps: Floats = shape / shape.sum()
    return taps


def _state() -> Any:
    import G722

    return G722.G722(16000, 64000)


class Wideband:
    """Both directions of one phone; each remembers what it coded before."""

    def __init__(self) -> None:
        self._coder, self._decoder = _state(), _state()
        self._said = self._heard = np.zeros(TAPS - 1)

    def encode(self, pcm: Pcm) -> bytes:
        """One octet for each sample of 8 kHz."""
        wide = np.zeros(2 * len(pcm))
        wide[::2] = pcm * 2.0
        whole = np.concatenate((self._said, wide))
        self._said = whole[-(TAPS - 1) :]
        smooth = to_pcm(np.convolve(whole, _half_band(), "valid"))
        coded: bytes = self._coder.encode(smooth.tolist())
        return coded

    def decode(self, payload: bytes) -> Pcm:
        """One sample of 8 kHz for each octet."""
        wide = np.asarray(self._decoder.decode(payload), dtype=np.float64)
        whole = np.concatenate((self._heard, wide))
        self._heard = whole[-(TAPS - 1) :]
        return to_pcm(np.convolve(whole, _half_band(), "valid")[::2])

    def silence(self, samples: int = 160) -> bytes:
        """A payload of that many quiet samples."""
        return self.encode(np.zeros(samples, dtype=np.int16))
