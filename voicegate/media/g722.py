"""G.722 by the package of that name (the extra `g722`): one byte holds two samples of 16 kHz.

All that is behind it works at 8 kHz, so what is above 4 kHz is taken away here, by a filter: the
codec's own 8 kHz mode lets it fold back. Both directions remember: one object for each stream.
"""

from array import array

from voicegate.media.resample import Resampler

try:
    import G722 as package  # noqa: N811 - that is its name
except ImportError:
    package = None

INSTALLED = package is not None
"""Whether the extra is there; without it the codec is neither offered nor taken."""
WIDE_HZ, NARROW_HZ, BIT_RATE = 16000, 8000, 64000


class Encoder:
    """One outgoing stream: PCM16 of 8 kHz in, one byte a sample out."""

    def __init__(self) -> None:
        self._state = package.G722(WIDE_HZ, BIT_RATE)
        self._up = Resampler(NARROW_HZ, WIDE_HZ)

    def __call__(self, pcm16: bytes) -> bytes:
        coded: bytes = self._state.encode(array("h", self._up.process(pcm16)))
        return coded


class Decoder:
    """One incoming stream: one byte a sample in, PCM16 of 8 kHz out."""

    def __init__(self) -> None:
        self._state = package.G722(WIDE_HZ, BIT_RATE)
        self._down = Resampler(WIDE_HZ, NARROW_HZ)

    def __call__(self, payload: bytes | bytearray) -> bytes:
        return self._down.process(self._state.decode(bytes(payload)).tobytes())
