"""Speech is found on the timeline of the audio, whatever the size and the time of its pieces."""

import numpy as np
import pytest

from simulator.audio.pcm import Pcm
from simulator.audio.tones import tone
from simulator.gemini.vad import Activity, ActivityDetector, VadSettings

START, END = "ACTIVITY_START", "ACTIVITY_END"


def call(rate_hz: int = 16_000, level_dbfs: float = -20.0) -> Pcm:
    """1 s silence, 1 s tone, 1 s silence."""
    quiet = np.zeros(rate_hz, np.int16)
    return np.concatenate((quiet, tone(440.0, 1.0, rate_hz, level_dbfs), quiet))


def found(detector: ActivityDetector, pcm: Pcm, rate_hz: int, size: int) -> list[Activity]:
    pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    return [activity for piece in pieces for activity in detector.feed(piece, rate_hz)]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
@pytest.mark.parametrize("size", [160, 333, 640, 48_000])
def test_an_utterance_has_its_place_in_the_audio(rate_hz: int, size: int) -> None:
    activities = found(ActivityDetector(VadSettings()), call(rate_hz), rate_hz, size)
    assert [activity.kind for activity in activities] == [START, END]
    assert [activity.offset_s for activity in activities] == pytest.approx([1.0, 2.0], abs=0.03)


def test_an_end_needs_trailing_silence() -> None:
    detector = ActivityDetector(VadSettings(silence_s=0.5))
    # 0.48 s of silence are not enough, one frame later they are
    pcm = call()[: 32_000 + 7_680]
    assert [activity.kind for activity in found(detector, pcm, 16_000, 640)] == [START]
    last = detector.feed(np.zeros(320, np.int16), 16_000)
    assert [activity.kind for activity in last] == [END]


def test_a_click_is_no_speech() -> None:
    detector = ActivityDetector(VadSettings(prefix_s=0.06))
    pcm = np.zeros(16_000, np.int16)
    pcm[4_800:5_440] = 20_000
    assert found(detector, pcm, 16_000, 320) == []


def test_a_quiet_line_is_no_speech() -> None:
    assert found(ActivityDetector(VadSettings()), call(level_dbfs=-55.0), 16_000, 640) == []


def test_speech_can_be_ended_from_outside() -> None:
    detector = ActivityDetector(VadSettings())
    found(detector, call()[:28_000], 16_000, 640)
    assert [activity.kind for activity in detector.end_speech()] == [END]
    assert detector.end_speech() == []


def test_the_setup_names_the_settings() -> None:
    wire = {
        "disabled": True,
        "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
        "prefixPaddingMs": 20,
        "silenceDurationMs": 400,
    }
    settings = VadSettings.from_setup({"realtimeInputConfig": {"automaticActivityDetection": wire}})
    assert settings == VadSettings(False, -36.0, 0.02, 0.4)
    assert VadSettings.from_setup({}) == VadSettings()
