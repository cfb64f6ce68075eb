"""The events of a conversation are values; both voices keep the protocol."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from simulator.audio.sound import sequence, silence_for, speech
from simulator.gemini.server import FakeGemini
from tests.voicegate.voice.ear import heard, serving
from voicegate.voice import session
from voicegate.voice.echo import Echo

EVENTS = (
    session.ModelAudio(b"", 24000),
    session.ModelText("a"),
    session.CallerText("a"),
    session.Interrupted(),
    session.GenerationComplete(),
    session.TurnComplete(),
    session.GoAway(None),
    session.Reconnecting("1011"),
    session.Reconnected(True, 80.0),
    session.ToolCall("1", "hang_up", {}),
    session.ToolCancelled(("1",)),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_a_value(event: session.VoiceEvent) -> None:
    assert event == dataclasses.replace(event)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        event.anything = 1  # type: ignore[union-attr]


@pytest.fixture(params=["echo", "gemini"])
async def voice(request: pytest.FixtureRequest, fake: FakeGemini) -> AsyncIterator[session.Voice]:
    """Whoever may speak."""
    if request.param == "echo":
        yield Echo()
        return
    fake.on_speech(say=speech(1.0), text="Yes.")
    async with serving() as gemini:
        yield gemini


def caller() -> Iterator[bytes]:
    """Somebody who says something and waits for the answer."""
    said = sequence(silence_for(0.5), speech(1.0), silence_for(3.0)).pcm(1, 16000).tobytes()
    return (said[at : at + 1280] for at in range(0, len(said), 1280))


@pytest.mark.virtual
async def test_any_voice_answers_who_speaks(voice: session.Voice) -> None:
    async with heard(voice, quiet=False) as ear:
        await ear.speak(caller())
        sound = [event for event in ear.events if isinstance(event, session.ModelAudio)]
    assert sum(len(one.pcm16) / 2 / one.sample_rate_hz for one in sound) > 0.9


@pytest.mark.virtual
async def test_any_voice_counts_its_open_conversations(voice: session.Voice) -> None:
    assert voice.open_conversations == 0
    async with heard(voice), heard(voice):
        assert voice.open_conversations == 2
    assert voice.open_conversations == 0


@pytest.mark.virtual
async def test_any_voice_takes_words_results_and_set_ups(voice: session.Voice) -> None:
    tool = session.Tool("hang_up", "Ends the call.", {})
    setup = session.VoiceSetup(system_instruction="Be brief.", tools=(tool,))
    async with heard(voice, setup) as ear:
        await ear.voice.greet("Greet.")
        await ear.voice.send_text("The caller pressed 5.")
        await ear.voice.send_tool_result("nobody-asked", "hang_up", {"output": "ok"})
        await asyncio.sleep(1)
        assert ear.lost is None


@pytest.mark.virtual
async def test_any_voice_answers_after_it_was_renewed(voice: session.Voice) -> None:
    async with heard(voice, quiet=False) as ear:
        await asyncio.sleep(0.5)
        ear.voice.renew("nobody answers")
        await asyncio.sleep(0.5)
        await ear.speak(caller())
        assert ear.of(session.ModelAudio)
        assert ear.lost is None


@pytest.mark.virtual
async def test_any_voice_is_over_as_soon_as_nobody_needs_it(voice: session.Voice) -> None:
    loop = asyncio.get_running_loop()
    tasks_before = len(asyncio.all_tasks())
    async with heard(voice, quiet=False) as ear:
        await ear.speak(caller())
        left_at = loop.time()
    assert loop.time() - left_at <= 1.0
    await asyncio.sleep(2)  # the fake's side of it ends too
    assert len(asyncio.all_tasks()) == tasks_before
