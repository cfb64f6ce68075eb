"""How loud a call is, each way."""

import struct

import pytest

from voicegate.admin.meter import SPARED_FRAMES, Meter
from voicegate.media.level import SILENT_DBFS

LOUD = struct.pack("<160h", *([8192, -8192] * 80))  # -12.04 dBFS
SOFT = struct.pack("<160h", *([1024, -1024] * 80))  # -30.1 dBFS
QUIET = bytes(320)


def test_a_look_gives_the_loudest_frame_since_the_last_one() -> None:
    meter = Meter(lambda: True)
    meter.tap(SOFT, QUIET, 0.0)
    meter.tap(LOUD, QUIET, 0.02)
    assert meter.caller.look() == pytest.approx(-12.0, abs=0.1)
    assert meter.caller.look() == SILENT_DBFS
    assert meter.model.look() == SILENT_DBFS


def test_pauses_do_not_count_in_the_level_of_a_call() -> None:
    meter = Meter(lambda: True)
    for frame in (SOFT, QUIET, QUIET, QUIET):
        meter.tap(frame, QUIET, 0.0)
    assert meter.caller.sound_dbfs == pytest.approx(-30.1, abs=0.1)
    assert meter.model.sound_dbfs == SILENT_DBFS


def test_while_nobody_looks_four_frames_of_five_cost_nothing() -> None:
    watched = False
    meter = Meter(lambda: watched)
    for number in range(1, 10):
        meter.tap(LOUD if number % SPARED_FRAMES else SOFT, QUIET, 0.0)
    assert meter.caller.look() == pytest.approx(-30.1, abs=0.1)
    watched = True
    meter.tap(QUIET, QUIET, 0.0)
    meter.tap(LOUD, QUIET, 0.0)
    assert meter.caller.look() == pytest.approx(-12.0, abs=0.1)
