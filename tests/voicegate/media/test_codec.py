"""G.711 against the formula of the recommendation, for every code there is."""

import struct

import pytest

from voicegate.media.codec import (
    CODECS,
    FRAME_BYTES,
    FRAME_SAMPLES,
    PCMA,
    PCMU,
    SILENCE_FRAME,
    peak,
)

ALL_SAMPLES = struct.pack("<65536h", *range(-32768, 32768))
ALL_CODES = bytes(range(256))


def ulaw_of(sample: int) -> int:
    """G.711 mu-law of a 16 bit sample, of which 14 bits count."""
    value = sample >> 2
    mask = 0xFF if value >= 0 else 0x7F
    magnitude = min(abs(value), 8159) + 33
    segment = max(0, magnitude.bit_length() - 6)
    if segment > 7:
        return 0x7F ^ mask
    return (segment << 4 | (magnitude >> (segment + 1)) & 0x0F) ^ mask


def alaw_of(sample: int) -> int:
    """G.711 A-law of a 16 bit sample, of which 13 bits count."""
    value = sample >> 3
    mask = 0xD5 if value >= 0 else 0x55
    magnitude = value if value >= 0 else -value - 1
    segment = max(0, magnitude.bit_length() - 5)
    step = magnitude >> (segment if segment else 1)
    return (segment << 4 | step & 0x0F) ^ mask


def linear_of_ulaw(code: int) -> int:
    code ^= 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def linear_of_alaw(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def test_every_sample_encodes_as_the_formula_says() -> None:
    for codec, formula in ((PCMU, ulaw_of), (PCMA, alaw_of)):
        wanted = bytes(formula(sample) for sample in range(-32768, 32768))
        assert codec.encode(ALL_SAMPLES) == wanted, codec.name


def test_every_code_decodes_as_the_formula_says() -> None:
    for codec, formula in ((PCMU, linear_of_ulaw), (PCMA, linear_of_alaw)):
        wanted = struct.pack("<256h", *(formula(code) for code in range(256)))
        assert codec.decode(ALL_CODES) == wanted, codec.name
        assert codec.decode(bytearray(ALL_CODES)) == wanted, codec.name


@pytest.mark.parametrize(("name", "payload_type", "idle"), [("PCMU", 0, 0xFF), ("PCMA", 8, 0xD5)])
def test_trap_6_numbers_and_silence_of_a_codec(name: str, payload_type: int, idle: int) -> None:
    codec = CODECS[name]
    assert (codec.name, codec.payload_type) == (name, payload_type)
    assert codec.silence == bytes([idle]) * FRAME_SAMPLES
    assert codec.encode(SILENCE_FRAME) == codec.silence
    assert peak(codec.decode(codec.silence)) <= 8


def test_a_frame_is_20_ms() -> None:
    assert len(SILENCE_FRAME) == FRAME_BYTES == 2 * FRAME_SAMPLES == 320


def test_peak_is_the_largest_magnitude() -> None:
    assert peak(struct.pack("<4h", 5, -700, 3, 0)) == 700
    assert peak(b"") == 0
