"""Server frames: camelCase JSON, as the service sends it."""

import base64
import json
from typing import Any

Frame = dict[str, Any]

AUDIO_RATE_HZ = 24_000
"""The service speaks 24 kHz, whatever it hears."""
TOKENS_PER_S = 25
"""Audio costs 25 tokens a second in both directions."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(frame: Frame) -> bytes:
    """Give the JSON of a frame."""
    return _ENCODER.encode(frame).encode()


def kind_of(frame: Frame) -> str:
    """Name a frame by its first key, a serverContent by what it says."""
    kind = next(iter(frame), "empty")
    content = frame[kind] if kind == "serverContent" else None
    if isinstance(content, dict):
        return next(iter(content), kind)
    return kind


def content(**fields: Any) -> Frame:
    """Give a serverContent frame."""
    return {"serverContent": fields}


def audio(pcm: bytes) -> Frame:
    """Give a piece of the model's speech (16 bit, mono, 24 kHz)."""
    data = base64.b64encode(pcm).decode("ascii")
    blob = {"mimeType": f"audio/pcm;rate={AUDIO_RATE_HZ}", "data": data}
    return content(modelTurn={"role": "model", "parts": [{"inlineData": blob}]})


def turn_complete(usage: Frame, reason: str = "", status: str = "") -> Frame:
    """End a turn; the usage rides in the same frame. `status` is IDLE or IN_PROGRESS."""
    frame = content(turnComplete=True)
    if reason:
        frame["serverContent"]["turnCompleteReason"] = reason
    if status:
        frame["serverContent"]["interactionStatus"] = status
    return frame | {"usageMetadata": usage} if usage else frame


def usage(heard_s: float, spoken_s: float) -> Frame:
    """Give the token counts of a turn from seconds of audio heard and spoken."""
    prompt, response = round(heard_s * TOKENS_PER_S), round(spoken_s * TOKENS_PER_S)
    return {
        "promptTokenCount": prompt,
        "responseTokenCount": response,
        "totalTokenCount": prompt + response,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": prompt}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": response}],
    }


def duration(seconds: float) -> str:
    """Give a proto-JSON Duration: "50s", "1.2s"."""
    return f"{round(seconds, 3):g}s"


def voice_activity(kind: str, offset_s: float) -> Frame:
    """Say where in the caller's audio speech began; the wire's key is `type`."""
    return {"voiceActivity": {"type": kind, "audioOffset": duration(offset_s)}}


def tool_call(call_id: str, name: str, arguments: Frame) -> Frame:
    """Ask the peer to run a function."""
    return {"toolCall": {"functionCalls": [{"id": call_id, "name": name, "args": arguments}]}}


def resumption(handle: str) -> Frame:
    """Tell the newest handle; none while it cannot be resumed."""
    update: Frame = {"resumable": bool(handle)}
    if handle:
        update = {"newHandle": handle} | update
    return {"sessionResumptionUpdate": update}
