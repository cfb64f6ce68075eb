"""The waveform of a recording."""

import wave
from pathlib import Path

import numpy as np
import pytest

from voicegate.admin.waveform import COLUMNS, waveform

RATE_HZ = 8000


def write(file: Path, caller: list[int], model: list[int]) -> Path:
    with wave.open(str(file), "wb") as written:
        written.setnchannels(2)
        written.setsampwidth(2)
        written.setframerate(RATE_HZ)
        written.writeframes(np.array([caller, model], "<i2").T.tobytes())
    return file


def test_each_side_stands_where_it_was_heard(tmp_path: Path) -> None:
    second = [0] * RATE_HZ
    loud = [16384, -32768] * (RATE_HZ // 2)
    found = waveform(write(tmp_path / "a.wav", second * 30 + loud * 30, loud * 30 + second * 30))
    assert found["seconds"] == 60.0
    half = COLUMNS // 2
    assert found["caller"] == [0.0] * half + [1.0] * half
    assert found["model"] == [1.0] * half + [0.0] * half


@pytest.mark.parametrize("samples", [0, 1, 100, COLUMNS, COLUMNS + 1])
def test_the_shortest_recordings_have_a_waveform_too(samples: int, tmp_path: Path) -> None:
    found = waveform(write(tmp_path / "a.wav", [8192] * samples, [0] * samples))
    assert set(found["caller"]) <= {0.25}
    assert len(found["caller"]) == len(found["model"]) <= COLUMNS
    assert bool(found["caller"]) is bool(samples)


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises((EOFError, wave.Error)):
        waveform(tmp_path / "a.wav")
