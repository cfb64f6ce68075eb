"""Signals to speak: tones, chirps, seeded noise, and a seeded voice that says nothing."""

from functools import lru_cache

import numpy as np

from simulator.audio.levels import amplitude
from simulator.audio.pcm import Floats, Pcm, samples_in, to_pcm

LEVEL_DBFS = -20.0
RAMP_S = 0.005
TOP_VOICE_HZ = 3600.0
SYLLABLE_S = (0.16, 0.26)
PITCH_HZ = (105.0, 175.0)
VOICES_KEPT = 64
"""A voice costs 20 ms a second, and the same sentence is spoken again and again."""


def ramped(samples: Floats, rate: int, ramp_s: float = RAMP_S) -> Floats:
    """The same with a smooth start and end, so that it does not click."""
    size = min(samples_in(ramp_s, rate), len(samples) // 2)
    slope = 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))
    shaped = samples.copy()
    shaped[:size] *= slope
    shaped[len(shaped) - size :] *= slope[::-1]
    return shaped


def sweep(from_hz: float, to_hz: float, seconds: float, rate: int) -> Floats:
    """A linear chirp of amplitude 1, unramped; a tone when both ends are the same."""
    at_s = np.arange(samples_in(seconds, rate)) / rate
    growth = (to_hz - from_hz) / (2.0 * seconds) if seconds > 0 else 0.0
    wave: Floats = np.sin(2.0 * np.pi * (from_hz + growth * at_s) * at_s)
    return wave


def chirp(
    from_hz: float, to_hz: float, seconds: float, rate: int, level_dbfs: float = LEVEL_DBFS
) -> Pcm:
    """A linear chirp with soft ends."""
    peak = amplitude(level_dbfs) * np.sqrt(2.0)
    return to_pcm(peak * ramped(sweep(from_hz, to_hz, seconds, rate), rate))


def tone(hz: float, seconds: float, rate: int, level_dbfs: float = LEVEL_DBFS) -> Pcm:
    """A sine with soft ends."""
    return chirp(hz, hz, seconds, rate, level_dbfs)


def noise(seconds: float, rate: int, seed: int, level_dbfs: float = LEVEL_DBFS) -> Pcm:
    """White Gaussian noise, the same for the same seed."""
    source = np.random.default_rng(seed)
    return to_pcm(source.standard_normal(samples_in(seconds, rate)) * amplitude(level_dbfs))


@lru_cache(maxsize=VOICES_KEPT)
def speech_like(seconds: float, rate: int, seed: int, level_dbfs: float = LEVEL_DBFS) -> Pcm:
    """A voice-like signal: gliding pitch, formants, syllables and pauses; -20 dBFS as a whole.

    The same array each time for the same arguments: it cannot be written to.
    """
    source = np.random.default_rng(seed)
    wave = np.zeros(samples_in(seconds, rate))
    at = 0
    while at < len(wave):
        syllable = _syllable(source, rate)[: len(wave) - at]
        wave[at : at + len(syllable)] = syllable
        # One syllable in six is followed by a short pause, as between words.
        at += len(syllable) + samples_in(0.06 if source.random() < 1 / 6 else 0.0, rate)
    loudness = float(np.sqrt(np.mean(wave * wave))) if len(wave) else 0.0
    pcm = to_pcm(wave * (amplitude(level_dbfs) / loudness)) if loudness > 0 else to_pcm(wave)
    pcm.setflags(write=False)
    return pcm


def _syllable(source: np.random.Generator, rate: int) -> Floats:
    """Some 0.2 s: a hiss, then harmonics of a gliding pitch shaped by three formants."""
    size = samples_in(source.uniform(*SYLLABLE_S), rate)
    start_hz, end_hz = source.uniform(*PITCH_HZ, size=2)
    formants = source.uniform((300.0, 900.0, 2100.0), (800.0, 1900.0, 2900.0))
    phase = 2.0 * np.pi * np.cumsum(np.linspace(start_hz, end_hz, size)) / rate
    top = int(min(TOP_VOICE_HZ, 0.45 * rate) / max(start_hz, end_hz))
    wave = np.zeros(size)
    for harmonic in range(1, top + 1):
        hz = harmonic * (start_hz + end_hz) / 2.0
        gain = float(np.sum(np.exp(-np.square((hz - formants) / 180.0)) * (1.0, 0.5, 0.25)))
        wave += (gain + 0.02) * np.sin(harmonic * phase + source.uniform(0.0, 2.0 * np.pi))
    hiss = source.standard_normal(size) * np.exp(-np.arange(size) / (0.03 * rate)) * 0.1
    envelope = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 0.6
    voiced: Floats = (wave + hiss) * envelope * source.uniform(0.6, 1.0)
    return voiced
