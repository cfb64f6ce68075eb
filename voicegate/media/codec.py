"""The codecs: G.711, which every gate speaks, and G.722 where its package is there.

All of them have one byte for each sample of 8 kHz. `audioop` is part of Python up to 3.12; from
3.13 on the package audioop-lts carries it.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

from voicegate.media import g722

with warnings.catch_warnings():
    # 3.11 and 3.12 warn that the module leaves the standard library; audioop-lts takes over there.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
SILENCE_FRAME = bytes(FRAME_BYTES)
"""A Frame (20 ms of PCM16 mono at 8 kHz) of zeros."""


@dataclass(frozen=True)
class Codec:
    """One codec. PCM is signed 16 bit, little-endian, mono, 8 kHz."""

    name: str
    """The encoding name of RFC 3551: `PCMU`, `PCMA` or `G722`."""
    payload_type: int
    """The static payload type of RFC 3551 table 4 (an offer may map another one)."""
    silence: bytes
    """20 ms of encoded silence: 160 bytes."""
    encode: Callable[[bytes], bytes]
    """PCM16 in, one byte a sample out. An odd number of bytes raises `audioop.error`."""
    decode: Callable[[bytes | bytearray], bytes]
    """Payload in, PCM16 out: twice as many bytes."""
    remembers: bool = False
    """Whether each stream needs a state of its own, as `for_stream` gives it."""

    def for_stream(self) -> "Codec":
        """Give the codec as one stream uses it, from its beginning on."""
        if not self.remembers:
            return self
        return replace(self, encode=g722.Encoder(), decode=g722.Decoder())


def _encode_ulaw(pcm16: bytes) -> bytes:
    return audioop.lin2ulaw(pcm16, 2)


def _decode_ulaw(payload: bytes | bytearray) -> bytes:
    return audioop.ulaw2lin(payload, 2)


def _encode_alaw(pcm16: bytes) -> bytes:
    return audioop.lin2alaw(pcm16, 2)


def _decode_alaw(payload: bytes | bytearray) -> bytes:
    return audioop.alaw2lin(payload, 2)


def rms(pcm16: bytes) -> int:
    """The root mean square of PCM16 (0 to 32768)."""
    return audioop.rms(pcm16, 2)


def peak(pcm16: bytes) -> int:
    """The largest magnitude in PCM16 (0 to 32768)."""
    return audioop.max(pcm16, 2)


PCMU = Codec("PCMU", 0, b"\xff" * FRAME_SAMPLES, _encode_ulaw, _decode_ulaw)
PCMA = Codec("PCMA", 8, b"\xd5" * FRAME_SAMPLES, _encode_alaw, _decode_alaw)
LAWS = {codec.name: codec for codec in (PCMU, PCMA)}
"""The two laws of G.711, by name."""
G722 = Codec(
    "G722",
    9,
    # RFC 3551 4.5.2: the RTP clock is 8000 Hz all the same. 0xff is the smallest step there is.
    b"\xff" * FRAME_SAMPLES,
    lambda pcm16: g722.Encoder()(pcm16),
    lambda payload: g722.Decoder()(payload),
    remembers=True,
)
CODECS = LAWS | ({"G722": G722} if g722.INSTALLED else {})
"""Every codec we have, by its name."""
