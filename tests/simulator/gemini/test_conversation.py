"""Whole conversations with the unmodified google-genai client."""

import asyncio
import contextlib

import numpy as np
import pytest
from google.genai import errors, types
from websockets.exceptions import ConnectionClosedError

from simulator.audio.sound import speech, stamps
from simulator.gemini import FakeGemini, ServiceRulesBroken
from simulator.gemini.performance import Performance
from simulator.gemini.script import Action, close, hear, pause, tool_call
from tests.simulator.gemini.bench import Bench, closing, listen, play, setup, speak

QUIET = np.zeros(16_000, np.int16)


def utterance(words: str = "good morning to you") -> "np.typing.NDArray[np.int16]":
    return np.concatenate((speech(words).pcm(1, 16_000), QUIET))


@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_each_utterance_is_answered_with_audio_of_its_own(clock: str) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.live(output_audio_transcription={}) as session:
            heard: list[bytes] = []
            words = ""
            talking = asyncio.create_task(speak(session, utterance()))
            async for message in session.receive():
                content = message.server_content
                if content and content.model_turn:
                    heard.append(content.model_turn.parts[0].inline_data.data)
                if content and content.output_transcription:
                    words += content.output_transcription.text
            await talking
            assert words == "This is reply 1."
            assert len(b"".join(heard)) == 1.5 * 24_000 * 2
            assert message.usage_metadata.response_token_count == 38

    fake = play(scenario, clock=clock)
    fake.check()
    session = fake.session(0)
    assert session.heard.speech()
    assert session.closed == (1000, "")
    assert session.utterances == 1
    assert session.sent["generationComplete"] == session.sent["turnComplete"] == 1
    assert fake.open_sessions == 0


def test_two_runs_in_virtual_time_are_the_same() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.live() as session:
            await speak(session, utterance())
            await bench.gemini.until(lambda: bench.gemini.session(0).sent["turnComplete"] == 1)

    first, second = (
        [(e.at_s, e.direction, e.kind, e.size) for e in play(scenario).journal.entries]
        for _ in range(2)
    )
    assert len(first) > 50
    assert first == second


def test_an_endless_voice_speaks_with_its_own_identity_in_real_time() -> None:
    fake = FakeGemini()
    fake.always(say=stamps(every_s=1.0))

    async def scenario(bench: Bench) -> None:
        async with bench.live() as session:
            async with asyncio.timeout(6):
                await speak(session, stamps(count=5).pcm(3, 16_000))

    play(scenario, fake)
    session = fake.session(0)
    assert session.spoken.only_from(session, at_least=4)
    assert session.heard.only_from(_Caller(), at_least=5)
    assert session.uplink_stats.audio_ms == 5000
    assert session.uplink_stats.chunks_per_s == pytest.approx(25.0)
    assert session.uplink_stats.longest_gap_s == pytest.approx(0.04)
    # 200 ms ahead of real time, in messages of 100 ms
    assert session.sent["modelTurn"] == pytest.approx(53, abs=1)
    assert "interrupted" not in session.sent


class _Caller:
    identity = 3


def test_barge_in_stops_the_audio_at_once_and_without_generation_complete() -> None:
    fake = FakeGemini()
    fake.on_text(say=speech(20.0))

    async def scenario(bench: Bench) -> None:
        async with bench.live() as session:
            await session.send_realtime_input(text="go on")
            await asyncio.sleep(1.0)
            await speak(session, utterance())

    play(scenario, fake)
    kinds = [entry.kind for entry in fake.journal.of(0) if entry.direction == "out"]
    at = kinds.index("interrupted")
    assert kinds[at - 2 : at] == ["modelTurn", "voiceActivity"]
    assert kinds[at + 1] == "turnComplete"
    assert "modelTurn" not in kinds[at:]
    assert "generationComplete" not in kinds


def test_no_interruption_is_honoured() -> None:
    fake = FakeGemini()
    fake.on_text(say=speech(3.0))

    async def scenario(bench: Bench) -> None:
        calm = types.RealtimeInputConfig(activity_handling=types.ActivityHandling.NO_INTERRUPTION)
        async with bench.live(realtime_input_config=calm) as session:
            await session.send_realtime_input(text="go on")
            await speak(session, utterance())
            await fake.until(lambda: fake.session(0).sent["turnComplete"] == 1)

    play(scenario, fake)
    assert "interrupted" not in fake.session(0).sent
    assert fake.session(0).spoken.duration_s == pytest.approx(3.0)


def test_a_script_closes_and_says_what_the_caller_said() -> None:
    fake = FakeGemini()
    fake.on_speech(hear("goodbye"), close(1011, "Internal error encountered."))

    async def scenario(bench: Bench) -> None:
        async with bench.live(input_audio_transcription={}) as session:
            with contextlib.suppress(ConnectionClosedError):
                await speak(session, utterance())
            messages: list[types.LiveServerMessage] = []
            with pytest.raises(errors.APIError) as caught:
                await listen(session, messages)
            assert said_by_caller(messages) == ["goodbye"]
            assert caught.value.code == 1011

    play(scenario, fake)
    fake.check()
    assert fake.session(0).closed == (1011, "Internal error encountered.")


def test_tool_calls_are_answered_once_and_unknown_ids_close() -> None:
    fake = FakeGemini()
    fake.on_connect(tool_call("hang_up", why="done"))
    fake.on_tool_result(say=speech("as you wish"))

    async def scenario(bench: Bench) -> None:
        async with bench.live() as session:
            async for message in session.receive():
                if message.tool_call:
                    break
            [call] = message.tool_call.function_calls
            assert call.args == {"why": "done"}
            answer = types.FunctionResponse(id=call.id, name=call.name, response={"ok": True})
            await session.send_tool_response(function_responses=answer)
            await fake.until(lambda: fake.session(0).sent["turnComplete"] == 1)
            await session.send_tool_response(function_responses=answer)
            with pytest.raises(errors.APIError) as caught:
                await listen(session, [])
            assert caught.value.code == 1008

    play(scenario, fake)
    assert [violation.rule for violation in fake.violations] == ["F7"]
    with pytest.raises(ServiceRulesBroken, match="Requested entity was not found"):
        fake.check()


def test_a_pause_ends_a_turn_and_the_next_content_begins_another() -> None:
    fake = FakeGemini()
    fake.on_connect(pause(1.0), say=speech(1.0))

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await fake.until(lambda: fake.session(0).sent["turnComplete"] == 1)
            fake.session(0).close(1000)
            assert await closing(ws) == (1000, "")

    play(scenario, fake)
    session = fake.session(0)
    done = next(e for e in fake.journal.of(0) if e.kind == "turnComplete")
    assert session.ready_at_s is not None
    assert done.at_s - session.ready_at_s == pytest.approx(1.0)


def test_the_fake_can_abort() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.live() as session:
            bench.gemini.session(0).abort()
            with pytest.raises(errors.APIError) as caught:
                await listen(session, [])
            assert caught.value.code == 1006

    play(scenario)


def test_an_error_of_a_script_is_loud() -> None:
    fake = FakeGemini()

    async def fail(_: Performance) -> None:
        raise KeyError("a bad script")

    fake.on_connect(Action("fail", fail))

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            assert await closing(ws) == (1011, "")

    with pytest.raises(RuntimeError, match="a bad script"):
        play(scenario, fake)


def said_by_caller(messages: list[types.LiveServerMessage]) -> list[str | None]:
    contents = [message.server_content for message in messages if message.server_content]
    return [c.input_transcription.text for c in contents if c.input_transcription]
