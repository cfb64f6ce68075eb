"""The record of a call: what the operator finds afterwards is what both sides heard."""

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.audio.heard import Heard
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.audio.wav import read
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import hear, say
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness

RATE = 8000
NEAR_S = 0.02
TOKENS_PER_S = 25
"""What the service bills for sound."""
ANNOUNCEMENT = "This call is recorded."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.fixture
def settings(folder: Path) -> Settings:
    keep = {"dir": str(folder), "audio": True, "transcript": True, "announcement": ANNOUNCEMENT}
    return {"record": keep}


def the_record(folder: Path) -> Path:
    [record] = folder.glob("*/*")
    return record


def ear(pcm: np.ndarray, zero_s: float) -> Heard:
    """One side of a recording, as an ear that hears it from loop time `zero_s` on."""
    heard = Heard()
    heard.add(pcm, RATE, zero_s)
    return heard


async def test_a_recording_holds_both_sides_where_they_were_on_the_wire(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, folder: Path
) -> None:
    gemini.always(say=stamps(every_s=1.0))
    async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
        await call.lasts(10)
    await witness.settle()
    witness.check(after="the recorded call")
    pcm, rate = read(the_record(folder) / "call.wav")
    assert rate == RATE
    zero_s = call.heard.start_s
    assert zero_s is not None
    gateway = call.heard.pcm(RATE)
    assert np.array_equal(pcm[: len(gateway), 1], gateway[: len(pcm)])
    left = ear(pcm[:, 0], zero_s)
    assert left.only_from(call, at_least=8)
    said_at = {stamp.sequence: stamp.at_s for stamp in call.spoken.stamps()}
    for stamp in left.stamps():
        assert stamp.at_s == pytest.approx(said_at[stamp.sequence], abs=NEAR_S)


async def test_a_recording_tells_who_said_what_when(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, folder: Path
) -> None:
    gemini.on_text(say=speech(1.0), text="Welcome to the garage.")
    gemini.on_speech(hear("My car is broken."), say(speech(1.0), text="I am sorry to hear that."))
    async with gate.dial("1000", speak=sequence(silence_for(2.5), speech(1.0))) as call:
        await call.lasts(8)
    await witness.settle()
    record = the_record(folder)
    lines = (record / "transcript.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    assert [(one["speaker"], one["text"]) for one in said] == [
        ("model", "Welcome to the garage."),
        ("caller", "My car is broken."),
        ("model", "I am sorry to hear that."),
    ]
    assert said[0]["start_s"] < 1.5 < said[1]["start_s"] <= said[2]["start_s"] < 6
    text = (record / "transcript.txt").read_text(encoding="utf-8")
    assert "] caller: My car is broken.\n" in text
    figures = json.loads((record / "call.json").read_text(encoding="utf-8"))
    assert (figures["turns"], len(figures["response_ms"])) == (2, 1)
    assert figures["gemini"]["sessions"] == 1
    assert figures["gemini"]["tokens"]["response"] == 2 * TOKENS_PER_S
    events = (record / "events.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line)["event"] for line in events]
    assert told[:2] == ["ringing", "answered"]
    assert told[-1] == "ended"


async def test_a_recording_is_announced_before_the_greeting(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=2))
    async with gate.dial("1000") as call:
        await call.lasts(2)
    [told] = gemini.session(0).inputs.texts
    assert told.index(ANNOUNCEMENT) < told.index("Greet them")
