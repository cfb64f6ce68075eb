"""Announcement and greeting from a file: the file in full, then the model, who was told then."""

import wave
from pathlib import Path

import pytest

from simulator.audio.sound import Sound, sequence, silence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings

pytestmark = pytest.mark.virtual

ANNOUNCEMENT = "This call is recorded."
IN_FILE, RATE_HZ = 99, 8000
"""The identity of the stamps in the file."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "hello.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(stamps(every_s=0.5, count=4).pcm(IN_FILE, RATE_HZ).tobytes())
    return {"call": {"greeting_wav": str(path)}, "record": {"announcement": ANNOUNCEMENT}}


@pytest.mark.parametrize(
    "caller", [silence, sequence(silence_for(0.3), speech(0.6))], ids=["silent", "speaks-into-it"]
)
async def test_a_recording_is_announced_behind_the_greeting_from_a_file(
    gate: SimulatedGate, gemini: FakeGemini, caller: Sound
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=2))
    gemini.on_speech()
    async with gate.dial("1000", speak=caller) as call:
        await call.lasts(5)
    model = gemini.session(0).identity
    heard = [(stamp.identity, stamp.sequence) for stamp in call.heard.stamps()]
    assert heard == [(IN_FILE, number) for number in range(4)] + [(model, 0), (model, 1)]
    [told] = gemini.session(0).inputs.texts
    assert ANNOUNCEMENT in told
    assert "Greet" not in told, "the file has greeted"
