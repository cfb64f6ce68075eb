"""How a turn is paced on the wire."""

from typing import Any

import pytest

from simulator.audio.sound import pcm_sound, speech
from simulator.gemini import FakeGemini, Pacing
from simulator.gemini.script import (
    burst,
    slow,
)
from tests.simulator.gemini.bench import one_turn, sent_at


def test_a_turn_is_sent_at_its_pace_and_completes_when_it_was_heard() -> None:
    fake = FakeGemini(pacing=Pacing(burst=4.0, chunk_ms=200))
    fake.on_connect(say=speech(2.1))
    one_turn(fake)
    times = sent_at(fake, "modelTurn")
    assert times == pytest.approx([0.05 * n for n in range(11)])
    assert sent_at(fake, "generationComplete") == pytest.approx([0.5])
    assert sent_at(fake, "turnComplete") == pytest.approx([2.1])


def test_turn_complete_may_come_at_once() -> None:
    fake = FakeGemini(pacing=Pacing(burst=20.0, await_playout=False))
    fake.on_connect(say=speech(2.0))
    one_turn(fake)
    assert sent_at(fake, "turnComplete") == sent_at(fake, "generationComplete")


@pytest.mark.parametrize(("verb", "last_s"), [(burst, 0.045), (slow, 1.8)])
def test_audio_comes_much_too_fast_or_too_slow(verb: Any, last_s: float) -> None:
    fake = FakeGemini()
    fake.on_connect(verb(speech(1.0)))
    one_turn(fake)
    assert sent_at(fake, "modelTurn")[-1] == pytest.approx(last_s)


def test_the_last_chunk_is_as_short_as_it_is() -> None:
    fake = FakeGemini()
    fake.on_connect(say=pcm_sound(speech(0.25).pcm(0, 24_000), 24_000))
    one_turn(fake)
    assert fake.session(0).spoken.duration_s == pytest.approx(0.25)
    sizes = [entry.size for entry in fake.journal.of(0) if entry.kind == "modelTurn"]
    assert sizes[0] == sizes[1] > sizes[2]
