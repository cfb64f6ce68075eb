"""Client frames: from what came over the WebSocket to one checked message."""

import json
import re
from dataclasses import dataclass
from typing import Any

from google.genai import types

from simulator.gemini.faults import INVALID_ARGUMENT, Fault
from simulator.gemini.schema import camel, read_message

KINDS = ("setup", "clientContent", "realtimeInput", "toolResponse", "contextUpdate")
DEFAULT_RATE_HZ = 16_000
RATE_RANGE_HZ = (4_000, 192_000)
_PCM_MIME = re.compile(r"audio/pcm(?:\s*;\s*rate\s*=\s*(\d{1,6}))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ClientFrame:
    """One message of the peer."""

    kind: str
    """One of KINDS."""
    body: dict[str, Any]
    """camelCase keys, bytes decoded; see `schema.read_message`."""

    @property
    def label(self) -> str:
        """The kind for counts and reports: realtimeInput goes by what it carries."""
        return next(iter(self.body), self.kind) if self.kind == "realtimeInput" else self.kind


def parse(data: str | bytes) -> ClientFrame:
    """Read one frame, text or binary. Raises Fault 1007 for what the service refuses."""
    whole = read_message(types.LiveClientMessage, _load(data))
    if len(whole) > 1:
        # google.genai's type takes two members of the oneof; the service does not.
        second = list(whole)[1]
        text = "Invalid value (oneof), oneof field 'message_type' is already set. "
        text += f"Cannot set '{second}'"
        raise Fault(1007, text, "F5")
    if not whole:
        raise Fault(1007, INVALID_ARGUMENT, "F5")
    [(kind, body)] = whole.items()
    return ClientFrame(kind, body)


def first_key(data: str | bytes) -> str:
    """Name the kind of a frame that need not be valid: its first key, or "invalid"."""
    try:
        value = _load(data)
    except Fault:
        return "invalid"
    return camel(next(iter(value), "empty"))


def pcm_rate_hz(mime: str) -> int:
    """Read the rate of raw 16 bit PCM from its mime type; 16 kHz where it says none.

    Raises Fault 1007 for another encoding: the service takes no G.711.
    """
    match = _PCM_MIME.fullmatch(mime)
    if match is None:
        raise Fault(1007, INVALID_ARGUMENT + f" mime_type {mime!r}", "F6")
    rate_hz = int(match[1] or DEFAULT_RATE_HZ)
    if not RATE_RANGE_HZ[0] <= rate_hz <= RATE_RANGE_HZ[1]:
        raise Fault(1007, INVALID_ARGUMENT + f" mime_type {mime!r}", "F6")
    return rate_hz


def _load(data: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Fault(1007, "Invalid JSON payload received. Unexpected token.", "F6") from None
    if not isinstance(value, dict):
        raise Fault(1007, "Invalid JSON payload received. Root element must be a message.", "F6")
    return value
