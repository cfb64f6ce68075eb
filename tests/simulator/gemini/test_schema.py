"""Proto-JSON: both spellings, both base64 alphabets, nothing unknown."""

import base64
from typing import Any

import pytest
from google.genai import types

from simulator.gemini.faults import Fault
from simulator.gemini.schema import camel, read_message, snake


def read(value: Any) -> dict[str, Any]:
    return read_message(types.LiveClientMessage, value)


def test_both_spellings_come_out_as_one() -> None:
    snakes = {"realtime_input": {"audio": {"mime_type": "audio/pcm", "data": ""}}}
    camels = {"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": ""}}}
    assert (
        read(snakes)
        == read(camels)
        == {"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": b""}}}
    )


def test_names_within_free_values_and_maps_stay() -> None:
    response = {"snake_key": {"inner_key": 1}, "camelKey": None}
    answer = {"function_responses": [{"id": "1", "name": "f", "response": response}]}
    assert read({"tool_response": answer})["toolResponse"]["functionResponses"][0] == {
        "id": "1",
        "name": "f",
        "response": response,
    }
    parameters = {"type": "object", "properties": {"my_key": {"type": "STRING"}}}
    tool = {"function_declarations": [{"name": "f", "parameters": parameters}]}
    declared = read({"setup": {"tools": [tool]}})["setup"]["tools"][0]["functionDeclarations"][0]
    assert declared["parameters"]["properties"] == {"my_key": {"type": "STRING"}}
    assert declared["parameters"]["type"] == "OBJECT"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
def test_every_base64_is_decoded(encode: Any, padded: bool) -> None:
    octets = bytes(range(250, 256)) * 3 + b"\x00"
    text = encode(octets).decode()
    blob = {"data": text if padded else text.rstrip("="), "mimeType": "audio/pcm"}
    assert read({"realtimeInput": {"audio": blob}})["realtimeInput"]["audio"]["data"] == octets


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"nonsense": {}}, 'Unknown name "nonsense": Cannot find field.'),
        ({"setup": {"x": 1}}, "Unknown name \"x\" at 'setup': Cannot find field."),
        (
            {"setup": {"generationConfig": {"speech_config": {"voiceName": "Puck"}}}},
            "Unknown name \"voiceName\" at 'setup.generation_config.speech_config'",
        ),
        (
            {"clientContent": {"turns": [{"parts": [{"txt": "a"}]}]}},
            "Unknown name \"txt\" at 'client_content.turns[0].parts[0]'",
        ),
        ({"setup": {"generationConfig": {"responseModalities": ["SMELL"]}}}, "'SMELL'"),
        ({"setup": {"generationConfig": {"temperature": "hot"}}}, "(float), 'hot'"),
        ({"setup": {"generationConfig": {"maxOutputTokens": 1.5}}}, "(int), 1.5"),
        ({"setup": {"model": 3}}, "'setup.model' (string), 3"),
        ({"setup": []}, "Unexpected value at 'setup'"),
        ({"clientContent": {"turnComplete": "true"}}, "(bool), 'true'"),
        ({"realtimeInput": {"audio": {"data": "@@"}}}, "Base64 decoding failed"),
        ({"realtimeInput": {"audio": {"data": 7}}}, "(bytes), 7"),
    ],
)
def test_what_the_service_refuses(value: Any, text: str) -> None:
    with pytest.raises(Fault) as caught:
        read(value)
    assert caught.value.code == 1007
    assert text in caught.value.reason


def test_numbers_may_be_text_and_null_is_not_set() -> None:
    window = {"triggerTokens": "25600", "slidingWindow": None}
    setup = {"contextWindowCompression": window, "sessionResumption": {"handle": None}}
    assert read({"setup": setup})["setup"] == {
        "contextWindowCompression": {"triggerTokens": 25600},
        "sessionResumption": {},
    }


def test_deep_nesting_is_refused_and_not_an_error_of_ours() -> None:
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(200):
        schema = {"type": "ARRAY", "items": schema}
    tool = {"functionDeclarations": [{"name": "f", "parameters": schema}]}
    with pytest.raises(Fault):
        read({"setup": {"tools": [tool]}})


def test_the_two_spellings_of_a_name() -> None:
    assert camel("realtime_input_config") == "realtimeInputConfig"
    assert snake("realtimeInputConfig") == "realtime_input_config"
