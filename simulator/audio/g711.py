"""G.711 from the ITU's formula (G.711 tables 1 and 2, in the arithmetic of G.191).

The gateway uses another implementation on purpose: two that share no line must agree. They do,
but for negative u-law samples right at a decision value (508 of 65536, one step apart): the
formula takes the ones' complement there, audioop the two's complement.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from simulator.audio.pcm import Pcm

Octets = npt.NDArray[np.uint8]
Linear = npt.NDArray[np.int64]


def _segment_shift(magnitude: Linear, first_bit: int) -> Linear:
    """The segment number: how many times the magnitude must be halved to fit the first one."""
    top_bit = np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int64)
    shift: Linear = np.maximum(top_bit - first_bit, 0)
    return shift


def _ulaw_octets(linear: Linear) -> Octets:
    # G.191: 14-bit magnitude (ones' complement for negatives), plus the bias 33, cut at 8191.
    magnitude = np.minimum((np.where(linear < 0, ~linear, linear) >> 2) + 33, 0x1FFF)
    segment = _segment_shift(magnitude, 5)
    mantissa = (magnitude >> (segment + 1)) & 0xF
    sign = np.where(linear < 0, 0x80, 0x00)
    octets: Octets = (~(sign | segment << 4 | mantissa) & 0xFF).astype(np.uint8)
    return octets


def _ulaw_linear(octets: Linear) -> Linear:
    code = ~octets & 0xFF
    magnitude = (((code & 0xF) * 2 + 33) << ((code >> 4) & 7)) - 33
    return np.where(code & 0x80, -magnitude, magnitude) * 4


def _alaw_octets(linear: Linear) -> Octets:
    # G.191: 12-bit magnitude (ones' complement for negatives); segment 0 is linear.
    magnitude = np.where(linear < 0, ~linear, linear) >> 4
    segment = _segment_shift(magnitude, 3)
    mantissa = (magnitude >> np.maximum(segment - 1, 0)) & 0xF
    sign = np.where(linear < 0, 0x00, 0x80)
    # G.711: even bits are inverted.
    octets: Octets = ((sign | segment << 4 | mantissa) ^ 0x55).astype(np.uint8)
    return octets


def _alaw_linear(octets: Linear) -> Linear:
    code = octets ^ 0x55
    segment = (code >> 4) & 7
    mantissa = ((code & 0xF) << 4) + 8 + np.where(segment > 0, 0x100, 0)
    magnitude = mantissa << np.maximum(segment - 1, 0)
    linear: Linear = np.where(code & 0x80, magnitude, -magnitude)
    return linear


@cache
def _encode_table(name: str) -> Octets:
    """65536 octets, one for each PCM16 value taken as uint16."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    return _ulaw_octets(linear) if name == "PCMU" else _alaw_octets(linear)


@cache
def _decode_table(name: str) -> Pcm:
    """256 PCM16 values, one for each octet."""
    octets = np.arange(256, dtype=np.int64)
    linear = _ulaw_linear(octets) if name == "PCMU" else _alaw_linear(octets)
    return linear.astype(np.int16)


@dataclass(frozen=True)
class Law:
    """One of the two companding laws of G.711."""

    name: str
    """The RTP encoding name: PCMU or PCMA."""

    payload_type: int
    """The static RTP payload type (RFC 3551 table 4)."""

    quiet: int
    """The octet that means zero."""

    def encode(self, pcm: Pcm) -> bytes:
        """One octet for each sample."""
        return _encode_table(self.name)[pcm.view(np.uint16)].tobytes()

    def decode(self, payload: bytes) -> Pcm:
        """One sample for each octet."""
        return _decode_table(self.name)[np.frombuffer(payload, dtype=np.uint8)]

    def silence(self, samples: int = 160) -> bytes:
        """A payload of that many quiet samples."""
        return bytes([self.quiet]) * samples


PCMU = Law("PCMU", 0, 0xFF)
PCMA = Law("PCMA", 8, 0xD5)
LAW = {"PCMU": PCMU, "PCMA": PCMA}
