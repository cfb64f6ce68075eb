"""The Gemini Live messages we read and write ourselves, as plain JSON. Pure.

The SDK's models cost 59 us to send and 75 us to receive a frame against 13 us here
(docs/gemini.md); connecting and setting up stay with the SDK.
Source of the shapes: https://ai.google.dev/api/live
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from voicegate.voice.session import (
    UPLINK_RATE_HZ,
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
    VoiceEvent,
)

DEFAULT_RATE_HZ = 24000
"""The Live API's output rate where the MIME type names none."""
RATES_HZ = (8000, 16000, 24000, 48000)
"""Rates that are played; sound that claims another is refused rather than played as noise."""
RATE = re.compile(r"rate=(\d+)")
URL_SAFE = str.maketrans("-_", "+/")
_AUDIO_HEAD = (
    f'{{"realtime_input":{{"audio":{{"mime_type":"audio/pcm;rate={UPLINK_RATE_HZ}","data":"'
)
_AUDIO_TAIL = '"}}}'


class WireError(ValueError):
    """A message of the service that cannot be read; the conversation may go on without it."""


def audio_message(pcm16: bytes) -> str:
    """Build the message that carries the caller's next sound."""
    return _AUDIO_HEAD + b64encode(pcm16).decode("ascii") + _AUDIO_TAIL


def events_of(message: object) -> Iterator[VoiceEvent]:
    """Read one message of the service (camelCase keys) in the order the caller must notice.

    `interrupted` comes first, since it voids what was queued before this message; the end of a
    turn comes last. Raises WireError where what must be an object is none.
    """
    content = _object(message, "message").get("serverContent")
    if content is not None:
        yield from _content_events(_object(content, "serverContent"))
    asked = _object(message, "message").get("toolCall")
    if asked is not None:
        for call in _object(asked, "toolCall").get("functionCalls") or ():
            yield _tool_call(_object(call, "functionCall"))
    cancelled = _object(message, "message").get("toolCallCancellation")
    if cancelled is not None:
        ids = _object(cancelled, "toolCallCancellation").get("ids") or ()
        yield ToolCancelled(tuple(str(one) for one in ids))
    if usage := _object(message, "message").get("usageMetadata"):
        counted = _object(usage, "usageMetadata")
        yield Usage(_count(counted, "promptTokenCount"), _count(counted, "responseTokenCount"))
    go_away = _object(message, "message").get("goAway")
    if go_away is not None:
        yield GoAway(_seconds(_object(go_away, "goAway").get("timeLeft")))


def handle_of(message: object) -> str:
    """Give the handle that a message brings, empty where it brings none that can be gone on with.

    While the model speaks or waits for a tool there is none: the last one stays the newest.
    """
    update = _object(message, "message").get("sessionResumptionUpdate")
    if update is None or not _object(update, "sessionResumptionUpdate").get("resumable"):
        return ""
    return str(update.get("newHandle") or "")


def _content_events(content: Mapping[str, Any]) -> Iterator[VoiceEvent]:
    if content.get("interrupted"):
        yield Interrupted()
    heard, said = content.get("inputTranscription"), content.get("outputTranscription")
    if heard is not None and (text := _text(heard)):
        yield CallerText(text)
    if said is not None and (text := _text(said)):
        yield ModelText(text)
    if (turn := content.get("modelTurn")) is not None:
        for part in _object(turn, "modelTurn").get("parts") or ():
            if audio := _audio(_object(part, "part").get("inlineData")):
                yield audio
    if content.get("generationComplete"):
        yield GenerationComplete()
    if content.get("turnComplete"):
        yield TurnComplete(str(content.get("turnCompleteReason") or ""))


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    call_id, name = call.get("id"), call.get("name")
    if not isinstance(call_id, str) or not isinstance(name, str):
        raise WireError("a tool call without id or name: it cannot be answered")
    return ToolCall(call_id, name, _object(call.get("args") or {}, "args"))


def _audio(blob: object) -> ModelAudio | None:
    """Give the sound of a part; None where it is no PCM (never play noise)."""
    if blob is None:
        return None
    fields = _object(blob, "inlineData")
    mime, data = str(fields.get("mimeType") or ""), fields.get("data")
    if not mime.startswith("audio/pcm") or not isinstance(data, str):
        return None
    try:
        pcm16 = b64decode(_standard(data), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError(f"audio that is no base64: {error}") from error
    found = RATE.search(mime)
    rate_hz = int(found.group(1)) if found else DEFAULT_RATE_HZ
    if rate_hz not in RATES_HZ:
        raise WireError(f"audio at {rate_hz} Hz")
    return ModelAudio(pcm16, rate_hz) if pcm16 else None


def _standard(data: str) -> str:
    """Give base64 in the standard alphabet, padded; what is so already is not copied."""
    if "-" in data or "_" in data:
        data = data.translate(URL_SAFE)
    missing = -len(data) % 4
    return data + "=" * missing if missing else data


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WireError(f"{name} is a {type(value).__name__}, not an object")
    return value


def _text(transcription: object) -> str:
    return str(_object(transcription, "transcription").get("text") or "")


def _count(fields: Mapping[str, Any], name: str) -> int:
    """Read a number, 0 where there is none: it is for the operator only."""
    value = fields.get(name)
    return value if isinstance(value, int) else 0


def _seconds(duration: object) -> float | None:
    """Read a Duration such as "50s" or "9.5s"."""
    try:
        return float(str(duration).removesuffix("s"))
    except ValueError:
        return None
