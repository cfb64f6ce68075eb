"""WAV files, PCM16: one channel for each side of the call."""

import wave
from pathlib import Path

import numpy as np

from simulator.audio.pcm import Pcm


def write(path: Path | str, pcm: Pcm, rate: int) -> None:
    """Write PCM16: [samples] for mono, [samples, channels] for more."""
    channels = 1 if pcm.ndim == 1 else pcm.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(pcm).astype("<i2").tobytes())


def write_stereo(path: Path | str, left: Pcm, right: Pcm, rate: int) -> None:
    """Write two sides of a call; the shorter one is filled with silence."""
    both = np.zeros((max(len(left), len(right)), 2), dtype=np.int16)
    both[: len(left), 0] = left
    both[: len(right), 1] = right
    write(path, both, rate)


def read(path: Path | str) -> tuple[Pcm, int]:
    """Samples as [samples, channels] and the rate; ValueError for anything but PCM16."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} holds {8 * file.getsampwidth()}-bit samples, not 16")
        octets = file.readframes(file.getnframes())
        channels, rate = file.getnchannels(), file.getframerate()
    return np.frombuffer(octets, dtype="<i2").astype(np.int16).reshape(-1, channels), rate
