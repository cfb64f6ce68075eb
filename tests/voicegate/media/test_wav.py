"""Greetings as they come: any rate, mono or stereo, 8, 16 or 24 bits."""

import struct

import numpy as np
import pytest

from voicegate.media.wav import WavRefused, read_wav

LENGTH_S = 0.5
TONE_HZ = 440.0


def tone(rate_hz: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * TONE_HZ * np.arange(int(rate_hz * LENGTH_S)) / rate_hz)


def packed(wave: np.ndarray, bits: int) -> bytes:
    whole = np.rint(wave * (2 ** (bits - 1) - 1)).astype("<i4")
    if bits == 8:
        return bytes((whole + 128).astype(np.uint8))
    if bits == 16:
        return bytes(whole.astype("<i2"))
    return bytes(np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 4)[:, :3]))


def wav(
    body: bytes,
    rate_hz: int = 8000,
    bits: int = 16,
    channels: int = 1,
    kind: int = 1,
    more: bytes = b"",
    before: bytes = b"",
    size: int | None = None,
) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * frame, frame, bits) + more
    data = struct.pack("<4sI", b"data", len(body) if size is None else size) + body
    rest = struct.pack("<4sI", b"fmt ", len(form)) + form + before + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(rest), b"WAVE") + rest


def level_at(pcm16: bytes, hz: float) -> float:
    """Give the amplitude of one frequency, 1.0 for full scale."""
    samples = np.frombuffer(pcm16, "<i2").astype(float) / 32768
    angles = 2 * np.pi * hz * np.arange(len(samples)) / 8000
    at = np.cos(angles) - 1j * np.sin(angles)
    return float(2 * abs(np.dot(samples, at)) / len(samples))


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000])
@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_is_the_same_tone_on_the_line(rate_hz: int, bits: int, channels: int) -> None:
    wave = np.repeat(tone(rate_hz), channels)
    pcm16 = read_wav(wav(packed(wave, bits), rate_hz, bits, channels))
    assert len(pcm16) / 16000 == pytest.approx(LENGTH_S, abs=0.012)
    assert level_at(pcm16, TONE_HZ) == pytest.approx(0.5, abs=0.02)


def test_the_channels_are_mixed() -> None:
    left_only = np.zeros(2 * 4000)
    left_only[::2] = tone(8000)
    pcm16 = read_wav(wav(packed(left_only, 16), channels=2))
    assert level_at(pcm16, TONE_HZ) == pytest.approx(0.25, abs=0.01)


def test_what_is_at_the_lines_rate_is_not_touched() -> None:
    body = packed(tone(8000), 16)
    assert read_wav(wav(body)) == body


def test_the_last_sound_comes_through_the_filter() -> None:
    wave = np.zeros(24000)
    wave[-240:] = 0.5
    pcm16 = np.frombuffer(read_wav(wav(packed(wave, 16), 24000)), "<i2")
    assert pcm16[-120:].max() > 15000


@pytest.mark.parametrize("size", [0xFFFFFFFF, 10**9])
def test_a_file_written_by_a_pipe_is_read_to_its_end(size: int) -> None:
    body = packed(tone(8000), 16)
    assert read_wav(wav(body, size=size)) == body


def test_other_chunks_are_passed_over() -> None:
    body = packed(tone(8000), 16)
    assert read_wav(wav(body, before=b"LIST\x03\0\0\0abc\0")) == body


def test_the_extensible_format_is_understood() -> None:
    more = struct.pack("<HHIH14s", 22, 16, 4, 1, b"\0" * 14)
    body = packed(tone(8000), 16)
    assert read_wav(wav(body, kind=0xFFFE, more=more)) == body


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no WAV file; convert it"),
        (b"ID3" + bytes(100), "is no WAV file"),
        (wav(bytes(100), kind=6), "format 6"),
        (wav(bytes(100), kind=3, bits=32), "32 bits"),
        (wav(bytes(100), channels=0), "0 channels"),
        (wav(bytes(100), rate_hz=0), "0 Hz"),
        (wav(bytes(100), rate_hz=44101), "44101 Hz"),
        (wav(b""), "holds no sound"),
        (wav(bytes(4), channels=8), "holds no sound"),
        (wav(bytes(100))[:30], "cannot be read"),
        (wav(bytes(100))[:36], "holds no sound"),
        (wav(bytes(2 * 8000 * 121)), "lasts 121 s, the limit is 120 s"),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(WavRefused, match=says):
        read_wav(data)
