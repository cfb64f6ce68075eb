"""WAV as bytes: stereo PCM16 at 8 kHz, the caller left, the gateway right."""

import struct

import numpy as np

RATE_HZ = 8000
SAMPLE_BYTES = 4
"""One sample of both sides."""
HEADER_BYTES = 44
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM, _CHANNELS, _BITS = 1, 2, 16
_LARGEST = 0xFFFFFFFF - HEADER_BYTES


def header(data_bytes: int) -> bytes:
    """Give the 44 bytes before so much sound."""
    data_bytes = min(data_bytes, _LARGEST)
    return _HEADER.pack(
        b"RIFF",
        data_bytes + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        _PCM,
        _CHANNELS,
        RATE_HZ,
        RATE_HZ * SAMPLE_BYTES,
        SAMPLE_BYTES,
        _BITS,
        b"data",
        data_bytes,
    )


def interleave(left: bytes, right: bytes) -> bytes:
    """Lay two sides of PCM16 of the same length into one."""
    both = np.empty((len(left) // 2, 2), dtype="<i2")
    both[:, 0] = np.frombuffer(left, dtype="<i2")
    both[:, 1] = np.frombuffer(right, dtype="<i2")
    return both.tobytes()
