"""Gemini's conversation against the fake service on its real wire."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from google import genai

from simulator.audio.sound import speech
from simulator.gemini.script import tool_call
from simulator.gemini.server import FakeGemini
from voicegate.config import load
from voicegate.voice.conversation import SETUP_DEADLINE_S
from voicegate.voice.gemini import DIRECT_SDK_VERSIONS, Gemini, open_gemini
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    Interrupted,
    ModelAudio,
    ModelText,
    Tool,
    ToolCall,
    ToolCancelled,
    TurnComplete,
    VoiceError,
    VoiceEvent,
    VoiceSession,
    VoiceSetup,
)

pytestmark = pytest.mark.virtual

FIND = Tool("find", "Finds.", {})


@pytest.fixture(params=["direct", "sdk"])
async def gemini(fake_gemini: FakeGemini, request: pytest.FixtureRequest) -> AsyncIterator[Gemini]:
    """Both ways to the service: the socket itself, and the SDK's own."""
    async with open_gemini(load(dotenv=None).gemini) as service:
        service.direct = request.param == "direct"
        yield service


class Listener:
    """Collects the events of a conversation."""

    def __init__(self) -> None:
        self.events: list[VoiceEvent] = []
        self._changed = asyncio.Event()

    def heed(self, event: VoiceEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, condition: Callable[[list[VoiceEvent]], object]) -> None:
        async with asyncio.timeout(60):
            while not condition(self.events):
                self._changed.clear()
                await self._changed.wait()

    async def turned(self, turns: int) -> None:
        await self.until(lambda _: self.turns() == turns)

    def audio_bytes(self) -> int:
        return sum(len(event.pcm16) for event in self.events if isinstance(event, ModelAudio))

    def turns(self) -> int:
        return sum(isinstance(event, TurnComplete) for event in self.events)


async def listened(voice: VoiceSession, listener: Listener, what: Callable[..., object]) -> None:
    """Listen until the condition holds of the events."""
    listening = asyncio.ensure_future(voice.listen(listener.heed))
    waiting = asyncio.ensure_future(listener.until(what))
    try:
        await asyncio.wait((listening, waiting), return_when=asyncio.FIRST_COMPLETED)
        (listening if listening.done() else waiting).result()
    finally:
        for task in (listening, waiting):
            task.cancel()
        await asyncio.wait((listening, waiting))


async def speak(voice: VoiceSession, seconds: float) -> None:
    """Speak to the model, then be silent for 2 s, in 40 ms chunks at their pace."""
    pcm = speech(seconds).pcm(1, 16000).tobytes() + bytes(64000)
    for start in range(0, len(pcm), 1280):
        await voice.send_audio(pcm[start : start + 1280])
        await asyncio.sleep(0.04)


async def test_a_greeting_comes_back_as_sound_and_text(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    listener = Listener()
    fake_gemini.on_text(say=speech(1.0), text="Good day.")
    async with gemini.converse() as voice:
        assert gemini.open_conversations == 1
        await voice.greet("Greet the caller.")
        await listened(voice, listener, lambda _: listener.turns() == 1)
    assert gemini.open_conversations == 0
    assert listener.audio_bytes() == pytest.approx(48000, rel=0.02)
    assert all(e.sample_rate_hz == 24000 for e in listener.events if isinstance(e, ModelAudio))
    said = "".join(event.text for event in listener.events if isinstance(event, ModelText))
    assert said.strip() == "Good day."
    assert GenerationComplete() in listener.events
    await fake_gemini.until(lambda: fake_gemini.open_sessions == 0)
    fake_gemini.check()


async def test_text_reaches_the_model_as_it_is(gemini: Gemini, fake_gemini: FakeGemini) -> None:
    async with gemini.converse() as voice:
        await voice.send_text("The caller pressed 1.")
        session = fake_gemini.session(0)
        await fake_gemini.until(lambda: bool(session.inputs.texts))
        assert session.inputs.texts == ["The caller pressed 1."]


async def test_a_second_turn_is_heard_too(gemini: Gemini, fake_gemini: FakeGemini) -> None:
    listener = Listener()
    async with gemini.converse() as voice:
        for turn in (1, 2, 3):
            await voice.greet("Say something.")
            if turn == 1:
                listening = asyncio.ensure_future(voice.listen(listener.heed))
            await listener.turned(turn)
        listening.cancel()
        await asyncio.wait((listening,))
    assert listener.audio_bytes() > 100_000
    fake_gemini.check()


async def test_the_caller_is_heard_in_full_and_transcribed(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    listener = Listener()
    async with gemini.converse() as voice:
        speaking = asyncio.ensure_future(speak(voice, 2.0))
        await listened(voice, listener, lambda _: listener.turns() == 1)
        await speaking
    heard = fake_gemini.session(0).heard
    assert heard.duration_s == pytest.approx(4.0, abs=0.1)
    assert heard.speech()
    assert any(isinstance(event, CallerText) for event in listener.events)
    fake_gemini.check()


async def test_an_interruption_is_told(gemini: Gemini, fake_gemini: FakeGemini) -> None:
    listener = Listener()
    fake_gemini.on_text(say=speech(20.0))
    async with gemini.converse() as voice:
        await voice.greet("Tell me a story.")
        listening = asyncio.ensure_future(voice.listen(listener.heed))
        await listener.until(lambda _: listener.audio_bytes() > 0)
        await speak(voice, 1.0)
        await listener.until(lambda events: Interrupted() in events)
        listening.cancel()
        await asyncio.wait((listening,))
    fake_gemini.check()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refusal_for_good_is_not_tried_again(
    gemini: Gemini, fake_gemini: FakeGemini, status: int
) -> None:
    fake_gemini.refuse(status)
    with pytest.raises(VoiceError, match=f"HTTP {status}: check gemini"):
        async with gemini.converse():
            pytest.fail("nobody can speak")
    assert fake_gemini.entrance.refused_upgrades == 1
    assert gemini.open_conversations == 0


async def test_a_refusal_that_may_pass_is_tried_once_more(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    fake_gemini.refuse(503, times=1)
    async with gemini.converse() as voice:
        await voice.greet("Hello.")
    assert fake_gemini.entrance.refused_upgrades == 1


async def test_after_two_refusals_the_caller_is_not_kept_waiting(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    fake_gemini.refuse(503)
    with pytest.raises(VoiceError, match="HTTP 503"):
        async with gemini.converse():
            pytest.fail("nobody can speak")
    assert fake_gemini.entrance.refused_upgrades == 2


@pytest.mark.parametrize("code", [1007, 1008])
async def test_a_refused_set_up_is_told_with_its_reason(
    gemini: Gemini, fake_gemini: FakeGemini, code: int
) -> None:
    fake_gemini.refuse_setup(code, "no such model")
    with pytest.raises(VoiceError, match=f"{code} no such model"):
        async with gemini.converse():
            pytest.fail("nobody can speak")


async def test_the_set_up_has_a_deadline(gemini: Gemini, fake_gemini: FakeGemini) -> None:
    fake_gemini.stall_setup()
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    with pytest.raises(VoiceError, match="did not answer in time"):
        async with gemini.converse():
            pytest.fail("nobody can speak")
    assert loop.time() - began_at == pytest.approx(SETUP_DEADLINE_S, abs=1.1)
    assert gemini.open_conversations == 0


async def test_a_fault_of_ours_is_not_taken_for_one_of_theirs(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    def broken(_: VoiceEvent) -> None:
        raise TypeError("ours")

    fake_gemini.on_connect(say=speech(1.0))
    with pytest.raises(TypeError, match="ours"):
        async with gemini.converse() as voice:
            await voice.listen(broken)


async def test_the_caller_may_give_up_while_the_model_connects(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    fake_gemini.stall_setup()

    async def wait_for_the_model() -> None:
        async with gemini.converse():
            pytest.fail("nobody can speak")

    task = asyncio.ensure_future(wait_for_the_model())
    await fake_gemini.until(lambda: bool(fake_gemini.sessions))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gemini.open_conversations == 0


@pytest.mark.parametrize("times", [1, 2])
async def test_a_tool_call_is_answered_once(
    gemini: Gemini, fake_gemini: FakeGemini, times: int
) -> None:
    listener = Listener()
    fake_gemini.on_connect(tool_call("find", "id-1", who_is={"deep_er": 1}))
    fake_gemini.on_tool_result(say=speech(1.0))
    async with gemini.converse(VoiceSetup(tools=(FIND,))) as voice:
        await listened(voice, listener, lambda events: ToolCall in map(type, events))
        for _ in range(times):
            await voice.send_tool_result("id-1", "find", {"found_it": {"deep_er": None}})
        await fake_gemini.until(lambda: fake_gemini.session(0).turns_done > 1)
        assert fake_gemini.session(0).received["toolResponse"] == 1
    assert {"who_is": {"deep_er": 1}} in [
        event.arguments for event in listener.events if isinstance(event, ToolCall)
    ]
    [line] = [e.detail for e in fake_gemini.journal.entries if e.kind == "toolResponse"]
    assert '"found_it": {"deep_er": null}' in line
    fake_gemini.check()


async def test_a_cancelled_tool_call_is_not_answered(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    listener = Listener()
    fake_gemini.on_connect(tool_call("find", "id-1"))
    async with gemini.converse(VoiceSetup(tools=(FIND,))) as voice:
        speaking = asyncio.ensure_future(speak(voice, 1.0))
        await listened(voice, listener, lambda events: ToolCancelled(("id-1",)) in events)
        await voice.send_tool_result("id-1", "find", {})
        await speaking
    assert "toolResponse" not in fake_gemini.session(0).received
    fake_gemini.check()


async def test_set_up_asks_for_what_a_telephone_needs(
    gemini: Gemini, fake_gemini: FakeGemini
) -> None:
    async with gemini.converse():
        setup = fake_gemini.session(0).setup
    assert setup["model"] == "models/gemini-3.8-live"
    assert setup["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert setup["inputAudioTranscription"] == {} == setup["outputAudioTranscription"]
    assert setup["sessionResumption"] == {}
    assert setup["contextWindowCompression"]["slidingWindow"]


def test_the_installed_sdk_has_been_tried() -> None:
    assert genai.__version__.startswith(DIRECT_SDK_VERSIONS)
