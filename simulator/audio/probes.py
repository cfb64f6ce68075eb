"""Probes of a resampler: what folds back, what is mirrored, how far the spectrum is from the truth.

A probe feeds 20 ms pieces to `convert`, as a call does, so a resampler without memory shows.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.audio.levels import dbfs, frame_levels
from simulator.audio.pcm import FULL_SCALE, Floats, Pcm, resample, samples_in, to_pcm
from simulator.audio.tones import noise, tone

Convert = Callable[[Pcm], Pcm]

PROBE_S = 2.0
SETTLING_S = 0.1
PIECE_S = 0.02
ALIAS_LIMIT_DBFS = -50.0
IMAGE_LIMIT_DB = -45.0
DISTANCE_LIMIT_DB = 1.0
VOICE_HZ = (300.0, 3400.0)
WINDOW_S = 0.032
HOP_S = 0.016
# Frames quieter than this say nothing about a codec.
QUIETEST_DBFS = -50.0
BAND_HZ = 100.0
FLOOR = 10.0 ** (-25.0 / 10.0)


def through(convert: Convert, pcm: Pcm, rate: int) -> Pcm:
    """What comes out when the recording goes in piece by piece, 20 ms each."""
    size = samples_in(PIECE_S, rate)
    pieces = [convert(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)


def alias_dbfs(convert: Convert, from_hz: int = 24000, to_hz: int = 8000) -> float:
    """The level that comes out of a 5 kHz tone at -20 dBFS; must be under -50 at 8 kHz.

    5 kHz cannot exist at 8 kHz: whatever is heard has folded back.
    """
    heard = through(convert, tone(5000.0, PROBE_S, from_hz), from_hz)
    return dbfs(_steady(heard, to_hz))


def image_db(convert: Convert, from_hz: int = 8000, to_hz: int = 16000) -> float:
    """Power above the old half rate against the whole, in dB; must be under -45."""
    heard = through(convert, voice_noise(PROBE_S, from_hz), from_hz)
    return above_db(_steady(heard, to_hz), to_hz, from_hz / 2.0)


def voice_noise(seconds: float, rate: int) -> Pcm:
    """Noise up to 3400 Hz: between there and 4 kHz a filter may do as it likes."""
    return _voice_band(noise(seconds, rate, seed=1), rate)


def above_db(pcm: Pcm, rate: int, hz: float) -> float:
    """Power above that frequency against the whole, in dB."""
    power = _power(pcm)
    bins = np.linspace(0.0, rate / 2.0, len(power))
    above = float(np.sum(power[bins > hz]))
    return 10.0 * float(np.log10(max(above, 1e-12) / max(float(np.sum(power)), 1e-12)))


def log_spectral_distance(truth: Pcm, heard: Pcm, rate: int = 8000) -> float:
    """How far apart two recordings are, in dB, 300 to 3400 Hz in 100 Hz bands.

    With `probe_signal`: a good filter 0.2, 1 % loss 0.3, no memory between pieces 1.5, no
    anti-alias filter 2.0, the wrong law 4.3.
    Aligned by correlation and by level first; frames without sound are left out.
    """
    a, b = _aligned(truth, heard)
    bands_a, bands_b = _bands(a, rate), _bands(b, rate)
    loud = _loud(a, rate)
    if not np.any(loud):
        raise ValueError("there is no sound to compare")
    ratio = 10.0 * np.log10(bands_a[loud] / bands_b[loud])
    ratio -= np.median(ratio)
    return float(np.mean(np.sqrt(np.mean(np.square(ratio), axis=1))))


def probe_signal(seconds: float, rate: int) -> Pcm:
    """Noise up to half the rate, falling by 6 dB an octave, in syllables: the worst of speech.

    It has the hiss above 4 kHz that a resampler must take away.
    """
    white = noise(seconds, rate, seed=24)
    spectrum = np.fft.rfft(white)
    hz = np.fft.rfftfreq(len(white), 1.0 / rate)
    shaped = np.fft.irfft(spectrum * np.minimum(1.0, 1000.0 / np.maximum(hz, 1.0)), len(white))
    syllables = 0.55 + 0.45 * np.sin(2.0 * np.pi * 4.0 * np.arange(len(white)) / rate)
    return to_pcm(shaped * syllables * 2.0)


def _steady(pcm: Pcm, rate: int) -> Pcm:
    """Without the start and the end, where a filter fills and empties."""
    edge = samples_in(SETTLING_S, rate)
    return pcm[edge : len(pcm) - edge]


def _power(pcm: Pcm) -> Floats:
    window = np.hanning(len(pcm))
    power: Floats = np.square(np.abs(np.fft.rfft(pcm * window / FULL_SCALE)))
    return power


def _voice_band(pcm: Pcm, rate: int) -> Pcm:
    top = 2 * int(VOICE_HZ[1])
    return resample(resample(pcm, rate, top), top, rate)


def _aligned(truth: Pcm, heard: Pcm) -> tuple[Pcm, Pcm]:
    """Both from the same moment on and of the same length, by the peak of their correlation."""
    size = 1 << (len(truth) + len(heard)).bit_length()
    product = np.conj(np.fft.rfft(truth, size)) * np.fft.rfft(heard, size)
    delay = int(np.argmax(np.fft.irfft(product, size)))
    delay -= size if delay > size // 2 else 0
    a, b = truth[max(0, -delay) :], heard[max(0, delay) :]
    shared = min(len(a), len(b))
    return a[:shared], b[:shared]


def _frames(pcm: Pcm, rate: int) -> Floats:
    size, hop = samples_in(WINDOW_S, rate), samples_in(HOP_S, rate)
    view = np.lib.stride_tricks.sliding_window_view(pcm / FULL_SCALE, size)[::hop]
    frames: Floats = view * np.hanning(size)
    return frames


def _bands(pcm: Pcm, rate: int) -> Floats:
    """Power in each 100 Hz band of the voice range, [frames, bands], with a floor."""
    power = np.square(np.abs(np.fft.rfft(_frames(pcm, rate), axis=1)))
    hz = np.linspace(0.0, rate / 2.0, power.shape[1])
    edges = np.arange(VOICE_HZ[0], VOICE_HZ[1] + 1.0, BAND_HZ)
    bands = [np.sum(power[:, (hz >= low) & (hz < low + BAND_HZ)], axis=1) for low in edges[:-1]]
    stacked: Floats = np.stack(bands, axis=1)
    # 25 dB under the frame's mean nothing is heard: quantisation noise there must not count.
    stacked += FLOOR * np.mean(stacked, axis=1, keepdims=True) + 1e-9
    return stacked


def _loud(pcm: Pcm, rate: int) -> npt.NDArray[np.bool_]:
    """Which analysis frames hold sound."""
    size, hop = samples_in(WINDOW_S, rate), samples_in(HOP_S, rate)
    count = (len(pcm) - size) // hop + 1
    starts = np.arange(count) * hop
    levels = frame_levels(pcm, rate)
    frame = np.minimum(starts // samples_in(PIECE_S, rate), len(levels) - 1)
    loud: npt.NDArray[np.bool_] = levels[frame] > QUIETEST_DBFS
    return loud
