"""The caller speaks over the model: it falls silent at once, and nothing stale is heard later."""

import pytest

from scenarios.trouble import World
from simulator.audio.levels import silent
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import interrupt, pause, say
from simulator.gemini.server import FakeGemini
from simulator.gemini.turns import Pacing
from simulator.witness.witness import Witness

SILENT_WITHIN_S = 0.2
LONG_ANSWER = stamps(every_s=0.5, count=40)
"""20 s, of which the service sends twice as fast as they can be heard."""
FIRST_OF_NEXT = 100
NEXT_ANSWER = stamps(every_s=0.5, count=6, start=FIRST_OF_NEXT)
RATE_HZ = 8000


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


def interrupted_at(session: FakeSession) -> float:
    """When the service said so (the last time)."""
    journal = session.gemini.journal.of(session.number)
    return max(
        entry.at_s for entry in journal if (entry.direction, entry.kind) == ("out", "interrupted")
    )


@pytest.mark.parametrize("burst", [2.0, 20.0])
async def test_the_model_falls_silent_and_its_next_answer_is_whole(
    world: World, burst: float
) -> None:
    gemini = world.gemini
    gemini.on_text(say(LONG_ANSWER, pacing=Pacing(burst=burst)))
    gemini.on_speech(say=NEXT_ANSWER)
    async with world.gate.dial("1000", speak=sequence(silence_for(4.0), speech(1.5))) as call:
        await call.lasts(12)
    session = gemini.session(0)
    cut_at = interrupted_at(session)
    stamps_heard = call.heard.stamps()
    before = [stamp.sequence for stamp in stamps_heard if stamp.at_s < cut_at]
    after = [stamp for stamp in stamps_heard if stamp.at_s >= cut_at]
    assert before == list(range(len(before)))
    assert len(before) >= 7
    assert [stamp.sequence for stamp in after] == list(range(FIRST_OF_NEXT, FIRST_OF_NEXT + 6))
    assert {stamp.identity for stamp in stamps_heard} == {session.identity}
    quiet = call.heard.pcm(RATE_HZ, cut_at + SILENT_WITHIN_S, after[0].at_s - 0.05)
    assert len(quiet) > RATE_HZ / 2
    assert silent(quiet, RATE_HZ)
    await world.nothing_is_left("a call with a barge-in")


async def test_an_interruption_of_nothing_harms_nothing(world: World) -> None:
    """The service says `interrupted` when nobody speaks; the next answer is heard all the same."""
    gemini = world.gemini
    gemini.on_text(interrupt(), pause(1.0), interrupt(), pause(0.5), say(NEXT_ANSWER))
    async with world.gate.dial("1000") as call:
        await call.lasts(6)
    heard = [stamp.sequence for stamp in call.heard.stamps()]
    assert heard == list(range(FIRST_OF_NEXT, FIRST_OF_NEXT + 6))


async def test_a_caller_who_speaks_on_and_on_interrupts_each_answer(world: World) -> None:
    gemini = world.gemini
    gemini.on_text(say=LONG_ANSWER)
    gemini.on_speech(say=LONG_ANSWER)
    gemini.on_speech(say=LONG_ANSWER)
    gemini.on_speech(say=NEXT_ANSWER)
    turn = sequence(silence_for(2.0), speech(1.0))
    async with world.gate.dial("1000", speak=sequence(turn, turn, turn)) as call:
        await call.lasts(14)
    session = gemini.session(0)
    assert session.sent["interrupted"] == 3
    last = [stamp for stamp in call.heard.stamps() if stamp.at_s >= interrupted_at(session)]
    assert [stamp.sequence for stamp in last] == list(range(FIRST_OF_NEXT, FIRST_OF_NEXT + 6))
    await world.nothing_is_left("a call with three barge-ins")


async def test_new_speech_calls_a_farewell_off(world: World) -> None:
    """Who says goodbye and then goes on to talk is not hung up on in mid-sentence."""
    gemini = world.gemini
    gemini.on_text()
    gemini.on_speech(say=LONG_ANSWER, text="Goodbye.")
    gemini.on_speech(say=NEXT_ANSWER, text="You are right, I forgot that.")
    caller = sequence(silence_for(1.0), speech(1.0), silence_for(4.0), speech(1.0))
    async with world.gate.dial("1000", speak=caller) as call:
        await call.lasts(20)
    after = [s.sequence for s in call.heard.stamps() if s.at_s >= interrupted_at(gemini.session(0))]
    assert after == list(range(FIRST_OF_NEXT, FIRST_OF_NEXT + 6))
