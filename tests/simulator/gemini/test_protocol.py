"""One frame in, one message or one fault out."""

import pytest

from simulator.gemini.faults import Fault
from simulator.gemini.protocol import first_key, parse, pcm_rate_hz


def test_text_and_binary_frames_are_read() -> None:
    assert parse('{"realtime_input":{"text":"hi"}}') == parse(b'{"realtimeInput":{"text":"hi"}}')
    assert parse('{"realtimeInput":{"audioStreamEnd":true}}').label == "audioStreamEnd"
    assert parse('{"clientContent":{}}').label == "clientContent"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        (b"\xff\xfe\x00", "Invalid JSON"),
        ("[]", "Root element must be a message"),
        ("{}", "Request contains an invalid argument."),
        ('{"setup":{"model":"m"},"clientContent":{}}', "already set. Cannot set 'clientContent'"),
    ],
)
def test_what_is_no_message_is_refused(data: str | bytes, text: str) -> None:
    with pytest.raises(Fault) as caught:
        parse(data)
    assert caught.value.code == 1007
    assert text in caught.value.reason


@pytest.mark.parametrize(
    ("mime", "rate_hz"),
    [
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=8000", 8_000),
        ("audio/PCM; rate=24000", 24_000),
    ],
)
def test_the_rate_is_in_the_mime_type(mime: str, rate_hz: int) -> None:
    assert pcm_rate_hz(mime) == rate_hz


@pytest.mark.parametrize("mime", ["audio/pcmu;rate=8000", "", "x/y", "audio/pcm;rate=1"])
def test_other_audio_is_refused(mime: str) -> None:
    with pytest.raises(Fault):
        pcm_rate_hz(mime)


def test_a_broken_frame_has_a_name_too() -> None:
    assert first_key('{"nonsense": 1}') == "nonsense"
    assert first_key("{}") == "empty"
    assert first_key("{") == "invalid"
