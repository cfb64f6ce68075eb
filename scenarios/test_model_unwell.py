"""A model that is unwell: each watchdog barks, its session is given up, the next call is well."""

import numpy as np
import pytest

from scenarios.trouble import World
from simulator.audio.levels import dbfs
from simulator.audio.sound import (
    Sound,
    sequence,
    silence,
    silence_for,
    speech,
    stamps,
    tone_sound,
)
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import Action, empty_turn, hear, interrupt, near_silent, say
from simulator.gemini.server import FakeGemini
from simulator.target.target import Target
from simulator.witness.witness import Witness

ASKS = sequence(silence_for(1.0), speech(1.0))
ASKS_TWICE = sequence(ASKS, silence_for(3.0), speech(1.0))

FRESH_STAMPS = 3
FRESH = stamps(every_s=0.5, count=FRESH_STAMPS)
RATE_HZ = 8000
APOLOGY_S = 1.05 + 0.3
"""Three tones, and the time that the caller's own buffer is given before the BYE."""


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


async def barks(
    world: World,
    gateway: Target,
    caplog: pytest.LogCaptureFixture,
    alarm: str,
    caller: Sound = ASKS_TWICE,
) -> None:
    """The session is given up with this alarm, and a fresh one is heard; the next call is well."""
    gemini = world.gemini
    gemini.on_text(say=FRESH, session=1)
    async with world.gate.dial("1000", speak=caller) as call:
        await gemini.until(lambda: gemini.session(0).closed_at_s is not None, within_s=20)
        await call.lasts(3)
    assert alarm in caplog.text + gateway.log()
    assert call.heard.only_from(gemini.session(1), at_least=FRESH_STAMPS)
    assert gemini.session(1).resumed_from is None
    assert "call is already going on" in str(gemini.session(1).setup["systemInstruction"])
    await world.is_whole_again(f"a call with {alarm}")


@pytest.mark.parametrize(
    ("answer", "alarm"),
    [
        ((empty_turn(),), "empty_turns"),
        ((hear("hello?"),), "empty_turns"),
        ((empty_turn("RESPONSE_REJECTED"),), "rejected_responses"),
        ((near_silent(2.0),), "near_silent"),
    ],
    ids=["empty-turns", "no-turns", "rejected", "near-silent"],
)
@pytest.mark.thorough(but=1)
async def test_a_watchdog_gives_the_session_up(
    world: World,
    gateway: Target,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[Action, ...],
    alarm: str,
) -> None:
    world.gemini.on_text(say=speech(0.5), session=0)
    world.gemini.on_speech(*answer, session=0)
    # one near-silent answer is enough; who asks again would speak over the fresh session
    await barks(world, gateway, caplog, alarm, ASKS if alarm == "near_silent" else ASKS_TWICE)


async def test_a_watchdog_hears_a_tone_that_is_no_speech(
    world: World, gateway: Target, caplog: pytest.LogCaptureFixture
) -> None:
    world.gemini.on_text(say=tone_sound(440.0, 9.0), session=0)
    await barks(world, gateway, caplog, "steady_tone", caller=silence)


async def test_a_watchdog_sees_a_session_that_is_dead_after_a_phantom_interruption(
    world: World, gateway: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """The service interrupts its greeting without a reason and never speaks again."""
    world.gemini.on_text(say(speech(0.5)), interrupt(), session=0)
    world.gemini.on_speech(hear("are you there"), session=0)
    await barks(world, gateway, caplog, "empty_turns")


async def test_a_watchdog_has_a_missing_greeting_asked_for_again(
    world: World, gateway: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """A greeting that is ignored once is heard after all; nobody else is asked."""
    world.gemini.on_text(session=0)
    world.gemini.on_text(say=speech(1.0), session=0)
    async with world.gate.dial("1000", speak=silence) as call:
        await call.lasts(7)
        assert call.heard.speech() or call.heard.level_dbfs() > -40
    session = world.gemini.session(0)
    assert len(session.inputs.texts) == 2
    assert session.inputs.texts[0] == session.inputs.texts[1]
    assert "no_greeting" in caplog.text + gateway.log()
    await world.is_whole_again("a late greeting")


async def test_a_watchdog_lets_nobody_listen_to_a_model_that_never_greets(
    world: World, gateway: Target, caplog: pytest.LogCaptureFixture
) -> None:
    world.gemini.on_text()
    call = await world.gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=18)
    assert "no_greeting" in caplog.text + gateway.log()
    assert call.ended_at is not None
    assert call.heard.pcm(RATE_HZ, None, call.ended_at - APOLOGY_S - 0.1).max() < 200
    apology = call.heard.pcm(RATE_HZ, call.ended_at - APOLOGY_S, call.ended_at)
    loudest = [dbfs(part) for part in np.array_split(apology[: -round(0.3 * RATE_HZ)], 3)]
    assert min(loudest) > -30, "three tones, all of them heard before the BYE"
    assert dbfs(apology[-round(0.2 * RATE_HZ) :]) < -50, "cut off by the BYE"
    await world.nothing_is_left("a call without a greeting")
