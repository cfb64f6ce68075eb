"""A conversation is more than one question and one answer."""

from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini


async def test_a_second_answer_is_heard_like_the_first(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text()
    gemini.on_speech(say=stamps(every_s=0.5, count=2))
    gemini.on_speech(say=stamps(every_s=0.5, count=2, start=2))
    question = speech(0.8)
    asks = sequence(silence_for(0.5), question, silence_for(2.5), question)
    async with gate.dial("1000", speak=asks) as call:
        await call.lasts(8)
    assert gemini.session(0).utterances == 2
    assert call.heard.only_from(gemini.session(0), at_least=4)
