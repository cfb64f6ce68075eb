"""Activity detection on the timeline of the audio itself (F9).

It counts the caller's samples, not the clock: jitter of the network changes nothing, and an end
of speech needs frames of silence, as with the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.audio.pcm import FULL_SCALE, Pcm

FRAME_S = 0.02


@dataclass(frozen=True)
class VadSettings:
    """`realtimeInputConfig.automaticActivityDetection` in plain numbers."""

    enabled: bool = True
    """False: the peer says activityStart and activityEnd itself."""
    threshold_dbfs: float = -45.0
    """A frame at or above it is speech."""
    prefix_s: float = 0.06
    """So much speech before its start is believed."""
    silence_s: float = 0.5
    """So much silence before its end is believed."""

    @classmethod
    def from_setup(cls, setup: Mapping[str, Any]) -> "VadSettings":
        """Read a setup; both sensitivities are HIGH by default, as on the Gemini API."""
        wire = setup.get("realtimeInputConfig", {}).get("automaticActivityDetection", {})
        calm_start = wire.get("startOfSpeechSensitivity") == "START_SENSITIVITY_LOW"
        calm_end = wire.get("endOfSpeechSensitivity") == "END_SENSITIVITY_LOW"
        return cls(
            enabled=not wire.get("disabled", False),
            threshold_dbfs=-36.0 if calm_start else -45.0,
            prefix_s=wire.get("prefixPaddingMs", 200 if calm_start else 60) / 1000,
            silence_s=wire.get("silenceDurationMs", 800 if calm_end else 500) / 1000,
        )


@dataclass(frozen=True)
class Activity:
    """The caller started or stopped to speak."""

    kind: str
    """ACTIVITY_START or ACTIVITY_END."""
    offset_s: float
    """Where in the caller's audio the speech itself began or ended."""


class ActivityDetector:
    """Finds utterances in PCM of any rate, given in pieces of any size."""

    def __init__(self, settings: VadSettings) -> None:
        self.settings = settings
        self.speaking = False
        self.audio_s = 0.0
        self._run_s = 0.0
        self._rest: Pcm = np.zeros(0, np.int16)
        self._rate_hz = 0

    def feed(self, pcm: Pcm, rate_hz: int) -> list[Activity]:
        """Take the next samples; give the changes they prove."""
        if rate_hz != self._rate_hz:
            self._rest = self._rest[:0]
            self._rate_hz = rate_hz
        if len(self._rest):
            pcm = np.concatenate((self._rest, pcm))
        size = round(rate_hz * FRAME_S)
        count = len(pcm) // size
        self._rest = pcm[count * size :]
        frames = pcm[: count * size].reshape(count, size).astype(np.float64)
        limit = 10 ** (self.settings.threshold_dbfs / 10) * FULL_SCALE * FULL_SCALE * size
        loud = [float(frame @ frame) >= limit for frame in frames]
        return [found for is_loud in loud if (found := self._step(is_loud))]

    def end_speech(self) -> list[Activity]:
        """End the utterance without waiting for silence, if one is on."""
        if not self.speaking:
            return []
        self.speaking = False
        offset_s, self._run_s = self.audio_s - self._run_s, 0.0
        return [Activity("ACTIVITY_END", offset_s)]

    def _step(self, loud: bool) -> Activity | None:
        self.audio_s += FRAME_S
        # A run is speech while silent and silence while speaking: what speaks for a change.
        if loud == self.speaking:
            self._run_s = 0.0
            return None
        self._run_s += FRAME_S
        needed_s = self.settings.silence_s if self.speaking else self.settings.prefix_s
        if self._run_s + FRAME_S / 4 < needed_s:
            return None
        self.speaking = not self.speaking
        offset_s, self._run_s = self.audio_s - self._run_s, 0.0
        return Activity("ACTIVITY_START" if self.speaking else "ACTIVITY_END", offset_s)
