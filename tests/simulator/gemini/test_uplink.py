"""What came from the caller, and the recording of both sides."""

from pathlib import Path

import pytest

from simulator.audio.sound import silence_for, stamps
from simulator.audio.wav import read as read_wav
from simulator.gemini import FakeGemini
from simulator.gemini.faults import Fault
from simulator.gemini.script import (
    say,
)
from simulator.gemini.uplink import Uplink
from simulator.gemini.vad import VadSettings
from tests.simulator.gemini.bench import one_turn


def test_both_sides_are_recorded_on_one_timeline(tmp_path: Path) -> None:
    fake = FakeGemini()
    fake.on_connect(say(silence_for(1.0)), say(stamps(count=2)))
    one_turn(fake).session(0).save_audio(tmp_path / "call.wav")
    pcm, rate_hz = read_wav(tmp_path / "call.wav")
    assert rate_hz == 16_000
    assert len(pcm) == pytest.approx(48_000, abs=16)
    assert not pcm[:, 0].any()
    assert not pcm[:15_000, 1].any()
    assert pcm[16_000:, 1].any()


def test_pace_and_place_of_the_caller_are_measured() -> None:
    uplink = Uplink(VadSettings())
    blob = {"data": bytes(1_280), "mimeType": "audio/pcm;rate=16000"}
    for at_s in (10.0, 10.04, 10.08, 10.5):
        assert uplink.feed(blob, at_s) == []
    stats = uplink.stats
    assert stats.audio_ms == pytest.approx(160.0)
    assert stats.longest_gap_s == pytest.approx(0.42)
    assert stats.chunks_per_s == pytest.approx(6.0)
    assert (stats.first_at_s, stats.last_at_s) == (10.0, 10.5)
    assert uplink.heard.longest_gap_s() == pytest.approx(0.38)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(Fault):
        Uplink(VadSettings()).feed({"data": b"123", "mimeType": "audio/pcm"}, 0.0)
