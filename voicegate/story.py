"""The story of one call: what happened when, told as it happens to whoever listens.

The record, the live page and the metrics listen; nobody who tells knows them. A listener must not
wait, and one that raises is ours: loud.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Happening(StrEnum):
    """What may happen in a call; the value goes into events.jsonl."""

    RINGING = "ringing"
    ANSWERED = "answered"
    CALLER_SAID = "caller_said"
    """text: a fragment of the caller's transcript."""
    MODEL_SAID = "model_said"
    """text: a fragment of the model's transcript."""
    CALLER_SPEAKS = "caller_speaks"
    CALLER_SILENT = "caller_silent"
    MODEL_SPEAKS = "model_speaks"
    MODEL_SILENT = "model_silent"
    """All that was said has been played."""
    INTERRUPTED = "interrupted"
    TURN_COMPLETE = "turn_complete"
    """reason: why, where the service says so."""
    DIGIT = "digit"
    """digit: which."""
    TOOL_CALLED = "tool_called"
    """name: which; id: the call's."""
    TOOL_ANSWERED = "tool_answered"
    """name, id, ms, ok."""
    TOOL_CANCELLED = "tool_cancelled"
    """id: of the tool call that the model waits for no longer."""
    RECONNECTING = "reconnecting"
    """why: what became of the last connection."""
    RECONNECTED = "reconnected"
    """resumed: whether the conversation was taken up again; ms: how long it took."""
    HELD = "held"
    RESUMED = "resumed"
    ALARM = "alarm"
    """what: which watchdog; a metric counts them by this word."""
    ENDED = "ended"
    """reason: the HangupReason's value."""


Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at_s: float
    """Seconds of the event loop's clock."""
    what: Happening
    """Its kind."""
    fields: Mapping[str, Value]
    """What belongs to it, as said under the kind."""


Listener = Callable[[Event], None]


class Story:
    """Tells the listeners of one call, in the order of events."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def tell(self, what: Happening, /, **fields: Value) -> None:
        """Say that something has happened just now."""
        if self._listeners:
            event = Event(self._clock(), what, fields)
            for listener in self._listeners:
                listener(event)
