"""Levels of known frames."""

import struct

import pytest

from voicegate.media.level import SILENT_DBFS, level_dbfs


def test_digital_silence_has_a_finite_level() -> None:
    assert level_dbfs(bytes(320)) == SILENT_DBFS


@pytest.mark.parametrize(("amplitude", "dbfs"), [(32767, 0.0), (3277, -20.0), (184, -45.0)])
def test_a_square_wave_is_as_loud_as_its_amplitude(amplitude: int, dbfs: float) -> None:
    frame = struct.pack("<160h", *([amplitude, -amplitude] * 80))
    assert level_dbfs(frame) == pytest.approx(dbfs, abs=0.05)
