"""WAV files, written and read back."""

import wave
from pathlib import Path

import numpy as np
import pytest

from simulator.audio.tones import tone
from simulator.audio.wav import read, write, write_stereo


def test_two_sides_of_a_call_are_two_channels(tmp_path: Path) -> None:
    left, right = tone(440, 0.5, 8000), tone(880, 0.25, 8000)
    write_stereo(tmp_path / "call.wav", left, right, 8000)
    both, rate = read(tmp_path / "call.wav")

    assert rate == 8000
    assert both.shape == (4000, 2)
    assert both[:, 0].tolist() == left.tolist()
    assert both[:2000, 1].tolist() == right.tolist()
    assert not np.any(both[2000:, 1])


def test_mono(tmp_path: Path) -> None:
    write(tmp_path / "mono.wav", tone(440, 0.1, 24000), 24000)
    pcm, rate = read(tmp_path / "mono.wav")

    assert (pcm.shape, rate) == ((2400, 1), 24000)


def test_other_widths_are_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "eight.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(8))
    with pytest.raises(ValueError, match="8-bit"):
        read(tmp_path / "eight.wav")
