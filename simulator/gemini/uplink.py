"""What the caller side sent: decoded audio on its timeline, and how well it was paced."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.audio.heard import Heard
from simulator.audio.wav import write_stereo
from simulator.gemini.faults import INVALID_ARGUMENT, Fault
from simulator.gemini.protocol import pcm_rate_hz
from simulator.gemini.vad import Activity, ActivityDetector, VadSettings

WAV_RATE_HZ = 16_000


@dataclass(frozen=True)
class UplinkStats:
    """The pace of the peer's audio."""

    chunks: int
    """Audio messages received."""
    audio_ms: float
    """Audio in them."""
    longest_gap_s: float
    """Longest time between two messages."""
    chunks_per_s: float
    """Messages a second between the first and the last; 0 for fewer than two."""
    first_at_s: float | None
    """Loop time of the first message."""
    last_at_s: float | None
    """Loop time of the last message."""


class Uplink:
    """Decodes audio messages into `heard` and finds the caller's utterances in them."""

    def __init__(self, settings: VadSettings) -> None:
        self.heard = Heard()
        self.detector = ActivityDetector(settings)
        self._chunks = 0
        self._audio_s = 0.0
        self._gap_s = 0.0
        self._first_at_s: float | None = None
        self._last_at_s: float | None = None

    def feed(self, blob: Mapping[str, Any], now: float) -> list[Activity]:
        """Take one audio blob (`data` as octets, `mimeType`). Raises Fault for what is no PCM."""
        data, rate_hz = blob.get("data", b""), pcm_rate_hz(blob.get("mimeType", ""))
        if len(data) % 2:
            raise Fault(1007, INVALID_ARGUMENT + " odd number of octets of 16 bit PCM", "F6")
        pcm = np.frombuffer(data, "<i2").astype(np.int16)
        self._count(len(pcm) / rate_hz, now)
        self.heard.add(pcm, rate_hz, now)
        if not self.detector.settings.enabled:
            self.detector.audio_s += len(pcm) / rate_hz
            return []
        return self.detector.feed(pcm, rate_hz)

    def _count(self, audio_s: float, now: float) -> None:
        self._chunks += 1
        self._audio_s += audio_s
        if self._last_at_s is None:
            self._first_at_s = now
        else:
            self._gap_s = max(self._gap_s, now - self._last_at_s)
        self._last_at_s = now

    @property
    def stats(self) -> UplinkStats:
        """The pace up to now."""
        first_s, last_s = self._first_at_s or 0.0, self._last_at_s or 0.0
        rate = (self._chunks - 1) / (last_s - first_s) if last_s > first_s else 0.0
        return UplinkStats(
            chunks=self._chunks,
            audio_ms=round(self._audio_s * 1000, 3),
            longest_gap_s=self._gap_s,
            chunks_per_s=rate,
            first_at_s=self._first_at_s,
            last_at_s=self._last_at_s,
        )


def write_lanes(path: Path, heard: Heard, spoken: Heard) -> None:
    """Write a stereo WAV: the caller left, the model right, on one timeline."""
    starts = [one for one in (heard.start_s, spoken.start_s) if one is not None]
    from_s = min(starts, default=0.0)
    left, right = heard.pcm(WAV_RATE_HZ, from_s), spoken.pcm(WAV_RATE_HZ, from_s)
    write_stereo(path, left, right, WAV_RATE_HZ)
