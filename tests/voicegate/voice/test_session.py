"""The events of a conversation are values; both voices keep the protocol."""

import dataclasses

import pytest

from voicegate.voice import session
from voicegate.voice.echo import Echo, EchoConversation
from voicegate.voice.gemini import Gemini, GeminiConversation

EVENTS = (
    session.ModelAudio(b"", 24000),
    session.ModelText("a"),
    session.CallerText("a"),
    session.Interrupted(),
    session.GenerationComplete(),
    session.TurnComplete(),
    session.GoAway(None),
    session.ToolCall("1", "hang_up", {}),
    session.ToolCancelled(("1",)),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_a_value(event: session.VoiceEvent) -> None:
    assert event == dataclasses.replace(event)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        event.anything = 1  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["send_audio", "greet", "send_text", "send_tool_result", "listen"])
def test_both_conversations_have_the_protocols_methods(name: str) -> None:
    assert callable(getattr(EchoConversation, name))
    assert callable(getattr(GeminiConversation, name))


def test_both_voices_open_conversations_and_count_them() -> None:
    assert Echo().open_conversations == 0
    assert isinstance(Gemini.open_conversations, property)
