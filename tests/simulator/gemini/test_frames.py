"""Server frames as google-genai reads them."""

import json
import warnings
from typing import Any

import pytest
from google.genai import types

from simulator.gemini import frames


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (frames.audio(b"\x00\x01"), "modelTurn"),
        (frames.content(interrupted=True), "interrupted"),
        (frames.turn_complete(frames.usage(1.0, 2.0), "RESPONSE_REJECTED", "IDLE"), "turnComplete"),
        (frames.voice_activity("ACTIVITY_START", 1.24), "voiceActivity"),
        (frames.tool_call("1", "f", {"snake_key": 1}), "toolCall"),
        (frames.resumption("h"), "sessionResumptionUpdate"),
        (frames.resumption(""), "sessionResumptionUpdate"),
        ({"goAway": {"timeLeft": frames.duration(50)}}, "goAway"),
        ({"setupComplete": {}}, "setupComplete"),
    ],
)
def test_the_sdk_knows_every_key(frame: dict[str, Any], kind: str) -> None:
    assert frames.kind_of(frame) == kind
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = types.LiveServerMessage._from_response(
            response=json.loads(frames.encode(frame)), kwargs={}
        )
    assert message.model_dump(exclude_none=True)


def test_tokens_are_counted_by_the_second() -> None:
    usage = frames.usage(4.0, 2.0)
    assert (usage["promptTokenCount"], usage["responseTokenCount"]) == (100, 50)
    assert usage["totalTokenCount"] == 150


def test_a_duration_is_short() -> None:
    assert [frames.duration(value) for value in (50, 1.2, 0.0004)] == ["50s", "1.2s", "0s"]
