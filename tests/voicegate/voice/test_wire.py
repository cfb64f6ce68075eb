"""The service's messages: what is read out of them, in which order, and what is refused."""

import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    GoAway,
    Interrupted,
    ModelAudio,
    ModelText,
    ToolCall,
    ToolCancelled,
    TurnComplete,
    Usage,
)
from voicegate.voice.wire import WireError, audio_message, events_of

PCM = bytes(range(256)) * 2


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def audio(data: str, mime: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    return content(modelTurn={"parts": [{"inlineData": {"mimeType": mime, "data": data}}]})


def test_the_uplink_message_is_one_json_object_with_all_bytes() -> None:
    message = json.loads(audio_message(PCM))
    blob = message["realtime_input"]["audio"]
    assert blob == {"mime_type": "audio/pcm;rate=16000", "data": b64encode(PCM).decode()}


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_both_base64_alphabets_are_read(encode: Any) -> None:
    assert list(events_of(audio(encode(PCM).decode()))) == [ModelAudio(PCM, 24000)]


def test_what_was_billed_rides_with_the_end_of_a_turn_or_comes_alone() -> None:
    usage = {"promptTokenCount": 147, "responseTokenCount": 36, "totalTokenCount": 183}
    both = content(turnComplete=True) | {"usageMetadata": usage}
    assert list(events_of(both)) == [TurnComplete(), Usage(147, 36)]
    assert list(events_of({"usageMetadata": {"promptTokenCount": "many"}})) == [Usage(0, 0)]


def test_missing_padding_is_forgiven() -> None:
    assert list(events_of(audio("AAAA__8"))) == [ModelAudio(b"\0\0\0\xff\xff", 24000)]


@pytest.mark.parametrize(
    ("mime", "rate_hz"),
    [("audio/pcm", 24000), ("audio/pcm;rate=16000", 16000), ("audio/pcm; rate=8000", 8000)],
)
def test_the_rate_comes_from_the_mime_type(mime: str, rate_hz: int) -> None:
    assert list(events_of(audio("AAAA", mime))) == [ModelAudio(b"\0\0\0", rate_hz)]


def test_sound_that_is_no_pcm_is_not_played() -> None:
    assert list(events_of(audio("AAAA", "audio/mpeg"))) == []


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        [],
        {"serverContent": "x"},
        {"serverContent": {"modelTurn": []}},
        {"serverContent": {"inputTranscription": "x"}},
        {"goAway": 3},
        {"toolCall": "x"},
        {"toolCall": {"functionCalls": ["x"]}},
        {"toolCall": {"functionCalls": [{"name": "hang_up"}]}},
        {"toolCall": {"functionCalls": [{"id": "1", "name": "hang_up", "args": "x"}]}},
        {"toolCallCancellation": "x"},
        audio("@@@"),
        audio("AAAA", "audio/pcm;rate=999999"),
        audio("AAAA", "audio/pcm;rate=0"),
    ],
)
def test_what_cannot_be_read_raises_one_kind_of_error(message: object) -> None:
    with pytest.raises(WireError):
        list(events_of(message))


def test_all_parts_are_read_and_thoughts_are_no_speech() -> None:
    parts = [
        {"text": "hm", "thought": True},
        {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA"}},
        {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AQEB"}},
    ]
    events = list(events_of(content(modelTurn={"parts": parts})))
    assert events == [ModelAudio(b"\0\0\0", 24000), ModelAudio(b"\1\1\1", 24000)]


def test_trap_9_one_message_with_everything_is_read_in_the_order_that_matters() -> None:
    message = audio("AAAA")
    message["serverContent"] |= {
        "turnComplete": True,
        "turnCompleteReason": "RESPONSE_REJECTED",
        "generationComplete": True,
        "interrupted": True,
        "inputTranscription": {"text": " hello"},
        "outputTranscription": {"text": "Hi"},
    }
    assert list(events_of(message)) == [
        Interrupted(),
        CallerText(" hello"),
        ModelText("Hi"),
        ModelAudio(b"\0\0\0", 24000),
        GenerationComplete(),
        TurnComplete("RESPONSE_REJECTED"),
    ]


@pytest.mark.parametrize(
    ("left", "seconds"), [("50s", 50.0), ("9.5s", 9.5), (None, None), ("soon", None)]
)
def test_go_away_says_how_long(left: str | None, seconds: float | None) -> None:
    assert list(events_of({"goAway": {"timeLeft": left}})) == [GoAway(seconds)]


def test_tool_calls_are_read_with_their_arguments_as_they_are() -> None:
    calls = [{"id": "1", "name": "find", "args": {"a_b": [1]}}, {"id": "2", "name": "hang_up"}]
    assert list(events_of({"toolCall": {"functionCalls": calls}})) == [
        ToolCall("1", "find", {"a_b": [1]}),
        ToolCall("2", "hang_up", {}),
    ]


def test_a_cancellation_names_the_calls() -> None:
    assert list(events_of({"toolCallCancellation": {"ids": ["1", "2"]}})) == [
        ToolCancelled(("1", "2"))
    ]


def test_unknown_messages_are_nothing() -> None:
    assert list(events_of({"futureThing": {"a": 1}})) == []


def corpus_rows() -> list[dict[str, str]]:
    path = Path(__file__).parents[4] / "shared" / "corpora" / "own" / "gemini_frames.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


@pytest.mark.parametrize("row", corpus_rows(), ids=lambda row: row["name"])
def test_no_frame_of_the_corpus_raises_another_error(row: dict[str, str]) -> None:
    frame = row["frame"] % ("x" * 2**20) if row["kind"] == "text_repeat" else row["frame"]
    try:
        events = list(events_of(json.loads(frame)))
    except ValueError:
        return
    assert all(not isinstance(event, ModelAudio) or event.sample_rate_hz for event in events)
