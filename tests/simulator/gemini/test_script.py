"""Verbs and rules of scripts, as the peer sees them."""

import asyncio

import pytest

from simulator.audio.sound import speech
from simulator.gemini import FakeGemini, FakeSession
from simulator.gemini.script import (
    Rule,
    Script,
    empty_turn,
    error_frame,
    go_away,
    interrupt,
    near_silent,
    say,
    transcript,
    unknown_frame,
)
from tests.simulator.gemini.bench import PATH, Bench, frame, one_turn, play, setup


async def turns(session: FakeSession, count: int) -> None:
    await session.until(lambda: session.sent["turnComplete"] == count)


def test_odd_turns() -> None:
    fake = FakeGemini()
    fake.on_connect(empty_turn("RESPONSE_REJECTED"))
    one_turn(fake)
    assert "modelTurn" not in fake.session(0).sent
    [turn] = [entry for entry in fake.journal.of(0) if entry.kind == "turnComplete"]
    assert '"turnCompleteReason":"RESPONSE_REJECTED"' in turn.detail
    quiet = FakeGemini()
    quiet.on_connect(near_silent(1.0))
    one_turn(quiet)
    assert quiet.session(0).spoken.silent()
    assert quiet.session(0).spoken.duration_s == pytest.approx(1.0)


def test_frames_out_of_turn() -> None:
    fake = FakeGemini()
    fake.on_connect(
        unknown_frame(),
        error_frame(),
        interrupt(),
        go_away(50.5),
        transcript("bye"),
        say(speech(1)),
    )
    one_turn(fake)
    kinds = [entry.kind for entry in fake.journal.of(0) if entry.direction == "out"]
    expected = ["setupComplete", "futureFeature", "error", "interrupted", "turnComplete", "goAway"]
    assert kinds[:7] == [*expected, "outputTranscription"]
    [warning] = [entry for entry in fake.journal.of(0) if entry.kind == "goAway"]
    assert warning.detail == '{"goAway":{"timeLeft":"50.5s"}}'


def test_rules_serve_their_own_session_and_their_own_time() -> None:
    fake = FakeGemini()
    fake.on_text(say=speech(1.0))
    fake.on_text(say=speech(2.0))
    fake.on_text(say=speech(3.0), containing="three")
    fake.on_text(say=speech(4.0), session=1)

    async def scenario(bench: Bench) -> None:
        for number, texts in enumerate((["a", "b", "three", "c"], ["three"])):
            async with bench.raw() as ws:
                await ws.send(setup())
                session = await fake.connected(number)
                for done, text in enumerate(texts, 1):
                    await ws.send(frame(realtimeInput={"text": text}))
                    await turns(session, done)

    play(scenario, fake)
    assert fake.session(0).spoken.duration_s == pytest.approx(1 + 2 + 3 + 2 + 4 * 0.2, abs=0.25)
    assert fake.session(1).spoken.duration_s == pytest.approx(4.0)


def test_a_key_chooses_a_scenario_from_outside() -> None:
    fake = FakeGemini()
    fake.scenarios["hello"] = Script([Rule("connect", (say(speech(1.0)),))])

    async def scenario(bench: Bench) -> None:
        for number, key in enumerate(("fake-hello", "fake-key")):
            async with bench.raw(headers={"x-goog-api-key": key}, path=PATH) as ws:
                await ws.send(setup())
                await fake.connected(number)
                await asyncio.sleep(2.0)

    play(scenario, fake)
    assert [session.sent["turnComplete"] for session in fake.sessions] == [1, 0]
