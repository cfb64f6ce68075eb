"""A WAV file read into what the line plays: PCM16, mono, at the line's rate. Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicegate.media.codec import SAMPLE_RATE_HZ
from voicegate.media.resample import Resampler

PCM = 1
EXTENSIBLE = 0xFFFE
MAX_LENGTH_S = 120.0
RATES_HZ = (4000, 192_000)
FLUSH_MS = 60
"""So much silence pushes the last sound out of the filter, which at 11025 Hz works by 40 ms."""
TAIL_MS = 10
"""So much of it is kept: what the filter holds back, and silence."""
MEND = "; convert it, such as by: ffmpeg -i IN -ac 1 -ar 8000 -c:a pcm_s16le OUT.wav"


class WavRefused(ValueError):
    """The file cannot be played; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Format:
    """What the fmt chunk says."""

    channels: int
    rate_hz: int
    bits: int


def read_wav(data: bytes) -> bytes:
    """Give the sound of a WAV file as PCM16, mono, 8 kHz; raises WavRefused."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavRefused(f"is no WAV file{MEND}")
    form: _Format | None = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            form = _read_format(body)
        elif name == b"data" and form is not None:
            return _at_line_rate(_mono(body, form), form.rate_hz)
    raise WavRefused("holds no sound")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give name and body of each; the last may be cut, or say that it goes on for ever."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _read_format(body: bytes) -> _Format:
    if len(body) < 16:
        raise WavRefused(f"has a format that cannot be read{MEND}")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == EXTENSIBLE and len(body) >= 26:
        kind = struct.unpack_from("<H", body, 24)[0]
    if kind != PCM or bits not in (8, 16, 24):
        raise WavRefused(f"is not PCM of 8, 16 or 24 bits (format {kind}, {bits} bits){MEND}")
    if not 1 <= channels <= 8:
        raise WavRefused(f"has {channels} channels{MEND}")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise WavRefused(f"has a rate of {rate_hz} Hz{MEND}")
    return _Format(channels, rate_hz, bits)


def _mono(body: bytes, form: _Format) -> npt.NDArray[np.int16]:
    """Give one channel: the mean of all."""
    width = form.bits // 8
    frames = len(body) // (width * form.channels)
    if not frames:
        raise WavRefused("holds no sound")
    if frames > MAX_LENGTH_S * form.rate_hz:
        raise WavRefused(f"lasts {frames / form.rate_hz:.0f} s, the limit is {MAX_LENGTH_S:.0f} s")
    samples = _samples(body[: frames * width * form.channels], width)
    mean = samples.reshape(frames, form.channels).mean(axis=1)
    mono: npt.NDArray[np.int16] = np.rint(mean).astype("<i2")
    return mono


def _samples(body: bytes, width: int) -> npt.NDArray[np.int16]:
    if width == 1:
        # 8 bits are unsigned in a WAV, all others signed
        return (np.frombuffer(body, np.uint8).astype(np.int16) - 128) * 256
    if width == 2:
        return np.frombuffer(body, "<i2")
    octets = np.frombuffer(body, np.uint8).reshape(-1, 3)
    return np.ascontiguousarray(octets[:, 1:]).view("<i2").reshape(-1)


def _at_line_rate(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    try:
        resampler = Resampler(rate_hz, SAMPLE_RATE_HZ)
    except ValueError as error:
        raise WavRefused(f"has a rate of {rate_hz} Hz{MEND}") from error
    if rate_hz == SAMPLE_RATE_HZ:
        return samples.tobytes()
    flush = bytes(2 * (rate_hz * FLUSH_MS // 1000))
    kept = len(samples) * SAMPLE_RATE_HZ // rate_hz + SAMPLE_RATE_HZ * TAIL_MS // 1000
    return resampler.process(samples.tobytes() + flush)[: 2 * kept]
