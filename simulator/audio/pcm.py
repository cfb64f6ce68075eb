"""PCM as numpy sees it (int16, mono, any rate), and an exact change of rate for judges."""

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

FULL_SCALE = 32768.0


def to_pcm(samples: npt.NDArray[np.floating]) -> Pcm:
    """Round and clip floating samples (full scale 32768) to PCM16."""
    pcm: Pcm = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return pcm


def samples_in(seconds: float, rate: int) -> int:
    """The number of samples nearest to that many seconds."""
    return round(seconds * rate)


def resample(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """The whole recording at another rate, with no delay and an ideal filter (one FFT).

    Not for streams: every output sample depends on the whole input.
    """
    if from_hz <= 0 or to_hz <= 0:
        raise ValueError(f"rates must be positive, not {from_hz} and {to_hz}")
    if from_hz == to_hz or len(pcm) == 0:
        return pcm
    wanted = round(len(pcm) * to_hz / from_hz)
    # A quiet tail keeps the end from wrapping to the start and gives the FFT a smooth length.
    blocks = -(-(len(pcm) + from_hz // 50) // from_hz)
    padded = np.zeros(blocks * from_hz, dtype=np.float32)
    padded[: len(pcm)] = pcm
    spectrum = np.fft.rfft(padded)
    bins = blocks * to_hz // 2 + 1
    kept = np.zeros(bins, dtype=spectrum.dtype)
    shared = min(bins, len(spectrum))
    kept[:shared] = spectrum[:shared]
    changed = np.fft.irfft(kept, n=blocks * to_hz) * (to_hz / from_hz)
    return to_pcm(changed[:wanted])
