"""What was said, utterance by utterance: the fragments of the service joined."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from voicegate.story import Event, Happening

PAUSE_S = 5.0
"""A fragment that comes so long after the one before begins a new utterance."""
_SPEAKER = {Happening.CALLER_SAID: "caller", Happening.MODEL_SAID: "model"}
_ENDS = {
    Happening.TURN_COMPLETE: ("caller", "model"),
    Happening.INTERRUPTED: ("model",),
    Happening.ENDED: ("caller", "model"),
}
"""Whose utterance is over with it. A change of speaker alone ends none: the fragments of both
come mixed, since the service hears and speaks at once."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one side said in one go."""

    speaker: str
    """`caller` or `model`."""
    start_s: float
    """Loop time of its first fragment."""
    end_s: float
    """Loop time of its last one."""
    text: str
    """All fragments, joined, with single spaces."""


class Transcript:
    """Joins fragments to utterances; give every event of the story to `take`."""

    def __init__(self) -> None:
        self._open: dict[str, list[Event]] = {}

    def take(self, event: Event) -> list[Utterance]:
        """Give the utterances that are over with this event, the earliest first."""
        over = list(_ENDS.get(event.what, ()))
        speaker = _SPEAKER.get(event.what)
        if speaker is not None:
            before = self._open.get(speaker)
            if before and event.at_s - before[-1].at_s > PAUSE_S:
                over.append(speaker)
        done = [self._close(one) for one in over if one in self._open]
        if speaker is not None:
            self._open.setdefault(speaker, []).append(event)
        return sorted((one for one in done if one.text), key=lambda one: one.start_s)

    def _close(self, speaker: str) -> Utterance:
        fragments = self._open.pop(speaker)
        text = " ".join("".join(str(one.fields["text"]) for one in fragments).split())
        return Utterance(speaker, fragments[0].at_s, fragments[-1].at_s, text)


def as_text(said: Utterance, since_s: float) -> str:
    """Give `[02:07.5] caller: ...`, counted from `since_s`."""
    minutes, seconds = divmod(round(max(0.0, said.start_s - since_s), 1), 60)
    return f"[{int(minutes):02}:{seconds:04.1f}] {said.speaker}: {said.text}\n"


def as_json(said: Utterance, since_s: float, wall: Callable[[float], str]) -> str:
    """Give one JSON line; `wall` tells the date and time of a loop time."""
    line = {
        "at": wall(said.start_s),
        "start_s": round(said.start_s - since_s, 3),
        "end_s": round(said.end_s - since_s, 3),
        "speaker": said.speaker,
        "text": said.text,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"
