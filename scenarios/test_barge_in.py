"""The caller speaks over the model: it falls silent at once, and nothing stale is heard later."""

import pytest

from scenarios.trouble import World
from simulator.audio.levels import silent
from simulator.audio.sound import sequence, silence_for, speech, stamps, tone_sound
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.frames import audio
from simulator.gemini.script import interrupt, pause, raw, say
from simulator.gemini.server import FakeGemini
from simulator.gemini.turns import Pacing
from simulator.target.network import Network
from simulator.target.target import Settings
from simulator.witness.witness import Witness

SILENT_WITHIN_S = 0.2
LONG_ANSWER = stamps(every_s=0.5, count=40)
"""20 s, of which the service sends twice as fast as they can be heard."""
FIRST_OF_NEXT = 100
NEXT_ANSWER = stamps(every_s=0.5, count=6, start=FIRST_OF_NEXT)
RATE_HZ = 8000
BARGE_INS, BARGE_EVERY_S, BARGE_S = 52, 1.6, 0.4
"""Each leaves the model half a second in which to speak: it answers 0.7 s after the caller."""


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
async def test_barge_in_silences_the_model_and_its_next_answer_is_whole(
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


async def test_trap_9_an_interruption_of_nothing_harms_nothing(world: World) -> None:
    """The service says `interrupted` when nobody speaks; the next answer is heard all the same."""
    gemini = world.gemini
    gemini.on_text(interrupt(), pause(1.0), interrupt(), pause(0.5), say(NEXT_ANSWER))
    async with world.gate.dial("1000") as call:
        await call.lasts(6)
    heard = [stamp.sequence for stamp in call.heard.stamps()]
    assert heard == list(range(FIRST_OF_NEXT, FIRST_OF_NEXT + 6))


async def test_barge_in_upon_each_answer_by_a_caller_who_speaks_on_and_on(
    world: World,
) -> None:
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


@pytest.mark.virtual_limit(200)
@pytest.mark.thorough
async def test_fifty_barge_ins_through_jitter_and_each_is_silence_in_time(
    world: World, network: Network
) -> None:
    for path in (world.gate.paths.rtp_out, world.gate.paths.rtp_in):
        path.impairment = network.impaired(jitter_s=0.03)
    world.gemini.on_text(say=speech(2.5))
    world.gemini.on_speech(say=speech(2.5))
    turn = sequence(silence_for(BARGE_EVERY_S - BARGE_S), speech(BARGE_S))
    async with world.gate.dial("1000", speak=sequence(*[turn] * BARGE_INS)) as call:
        await call.lasts(BARGE_EVERY_S * BARGE_INS + 1.0)
    journal = world.gemini.journal.of(0)
    cuts = [one.at_s for one in journal if (one.direction, one.kind) == ("out", "interrupted")]
    assert len(cuts) >= 50
    for cut_at in cuts:
        assert not silent(call.heard.pcm(RATE_HZ, cut_at - 0.3, cut_at), RATE_HZ)
        after = call.heard.pcm(RATE_HZ, cut_at + SILENT_WITHIN_S, cut_at + 0.7)
        assert silent(after, RATE_HZ), f"sound after the interruption at {cut_at:.2f} s"


async def test_barge_in_voids_what_still_arrives_of_the_old_turn(world: World) -> None:
    """The service had more of the answer on its way when the caller began to speak."""
    late = tone_sound(1000.0, 0.1).pcm(0, 24000).astype("<i2").tobytes()
    chunk = raw(audio(late))
    cut = raw({"serverContent": {"interrupted": True}})
    over = raw({"serverContent": {"turnComplete": True}})
    world.gemini.on_text(raw(audio(late * 20)), pause(0.5), cut, *[chunk] * 5, over)
    async with world.gate.dial("1000") as call:
        await call.lasts(3)
    journal = world.gemini.journal.of(0)
    cut_at = next(one.at_s for one in journal if one.kind == "interrupted")
    assert not silent(call.heard.pcm(RATE_HZ, cut_at - 0.3, cut_at), RATE_HZ)
    assert silent(call.heard.pcm(RATE_HZ, cut_at + SILENT_WITHIN_S, cut_at + 1.5), RATE_HZ)


class TestWithoutInterruption:
    """The model speaks on, whatever the line sends back."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"gemini": {"no_interruption": True}}

    async def test_no_barge_in_where_it_is_switched_off(self, world: World) -> None:
        world.gemini.on_text(say=stamps(every_s=0.5, count=10))
        world.gemini.on_speech()
        caller = sequence(silence_for(1.5), speech(1.0))
        async with world.gate.dial("1000", speak=caller) as call:
            await call.lasts(7)
        assert world.gemini.session(0).sent["interrupted"] == 0
        assert call.heard.only_from(world.gemini.session(0), at_least=10)


class TestHalfDuplex:
    """A line that echoes: what we say comes back as if the caller said it."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"half_duplex": True}}

    async def test_no_barge_in_by_our_own_echo_and_the_caller_is_heard_after_it(
        self, world: World
    ) -> None:
        world.gemini.on_text(say=stamps(every_s=0.5, count=8))
        world.gemini.on_speech(say=stamps(every_s=0.5, count=4, start=8))
        echo = sequence(silence_for(0.6), speech(3.5), silence_for(1.5), speech(1.0))
        async with world.gate.dial("1000", speak=echo) as call:
            await call.lasts(10)
        session = world.gemini.session(0)
        assert session.sent["interrupted"] == 0
        assert call.heard.only_from(session, at_least=12)
        assert session.utterances == 1


async def test_barge_in_calls_a_farewell_off(world: World) -> None:
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
