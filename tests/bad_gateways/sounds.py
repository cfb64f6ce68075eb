"""Sound in the gateways of this folder: G.711 by audioop, a change of rate by a long filter."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

with warnings.catch_warnings():
    # 3.11 and 3.12 warn that the module leaves the standard library; audioop-lts takes over there.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

FRAME = 320
"""20 ms at 8 kHz in bytes of PCM16."""
SILENCE = bytes(FRAME)
LOUD = 184
"""-45 dBFS as a root mean square of 16 bits."""
TAPS_EACH = 48
"""Filter taps on each side of the middle, at the higher rate."""

Convert = Callable[[bytes], bytes]
"""PCM16 in, PCM16 at another rate out."""


def encode(law: str, pcm16: bytes) -> bytes:
    """PCM16 to PCMA or PCMU."""
    return audioop.lin2alaw(pcm16, 2) if law == "PCMA" else audioop.lin2ulaw(pcm16, 2)


def decode(law: str, payload: bytes) -> bytes:
    """PCMA or PCMU to PCM16."""
    return audioop.alaw2lin(payload, 2) if law == "PCMA" else audioop.ulaw2lin(payload, 2)


def is_loud(pcm16: bytes) -> bool:
    """Whether a frame could be speech."""
    return audioop.rms(pcm16, 2) > LOUD


def without_filter(from_hz: int, to_hz: int) -> Convert:
    """What audioop.ratecv does: it interpolates, and takes nothing away."""
    state: Any = None

    def convert(pcm16: bytes) -> bytes:
        nonlocal state
        pcm, state = audioop.ratecv(pcm16, 2, 1, from_hz, to_hz, state)
        return bytes(pcm)

    return convert


class Rate:
    """A change of rate that remembers, so that pieces of any length join without a seam."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = int(np.gcd(from_hz, to_hz))
        self._up, self._down = to_hz // common, from_hz // common
        top_hz = from_hz * self._up
        at = np.arange(-TAPS_EACH, TAPS_EACH + 1)
        # Nothing above the lower half rate may pass; 3400 Hz of speech must.
        cut = 0.90 * min(from_hz, to_hz) / top_hz
        self._taps: npt.NDArray[np.float64] = cut * np.sinc(cut * at) * np.kaiser(len(at), 7.0)
        self._taps *= self._up / self._taps.sum()
        self._past = np.zeros(len(at) - 1)
        self._skip = 0

    def __call__(self, pcm16: bytes) -> bytes:
        """The next piece at the other rate."""
        samples = np.frombuffer(pcm16, "<i2")
        raised = np.zeros(len(samples) * self._up)
        raised[:: self._up] = samples
        line = np.concatenate((self._past, raised))
        self._past = line[len(line) - len(self._past) :]
        smooth = np.convolve(line, self._taps, "valid")
        picked = smooth[self._skip :: self._down]
        self._skip = (self._skip - len(smooth)) % self._down
        return bytes(np.clip(np.rint(picked), -32768, 32767).astype("<i2").tobytes())
