"""Whose turn it is, and so when a connection can be left without cutting anybody short. Pure."""

import numpy as np

from voicegate.voice.session import (
    GenerationComplete,
    Interrupted,
    ModelAudio,
    ModelText,
    TurnComplete,
    VoiceEvent,
)

LOUD_PEAK = 330
"""Peak (-40 dBFS) from which the caller counts as speaking."""
SETTLE_S = 0.5
"""After a turn's end the service gives the handle that knows of the turn."""
ANSWER_S = 5.0
"""The model has begun to answer by then, or what was loud was no speech."""
FORGOTTEN_S = 15.0
"""What the model was told so long ago, and did not answer, asked for no answer."""
PAUSE_S = 0.3
"""Who is quiet for so long waits for an answer."""
LEAVE_BEFORE_S = 10.0
"""The service's own end of a connection is not waited for."""
LOOK_AHEAD_S = 50.0
"""A connection whose end is known to us alone is left so long before, where nobody speaks."""
SHORT_NOTICE_S = 20.0
"""Taken for the time left where the service warns but does not say it."""
GO_ON = (
    "The connection was lost for a moment and the caller did not hear the rest. "
    "Go on from there, and do not greet again."
)


class Turn:
    """Who speaks, who waits for whom."""

    def __init__(self) -> None:
        self._asked = ""
        self._asked_at = float("-inf")
        self._generating = False
        self._open = False
        self._interrupted = False
        self._over_at = float("-inf")
        self._caller_waits = False
        self._loud_at = float("-inf")

    def asked(self, text: str, now: float) -> None:
        """Learn what the model was told: it is owed to it until it speaks."""
        self._asked = f"{self._asked}\n{text}" if self._asked else text
        self._asked_at = now

    def caller(self, pcm16: bytes, now: float) -> None:
        """Learn what the caller sends."""
        if np.frombuffer(pcm16, "<i2").max(initial=0) >= LOUD_PEAK:
            self._loud_at, self._caller_waits = now, True

    def heed(self, event: VoiceEvent, now: float) -> None:
        """Learn what the model does."""
        match event:
            case ModelAudio() | ModelText():
                self._asked, self._generating, self._open = "", True, True
            case Interrupted():
                self._interrupted, self._generating = True, False
            case GenerationComplete():
                self._generating = False
            case TurnComplete():
                self._asked = ""
                # who has interrupted this turn waits for the next one
                self._caller_waits = self._interrupted and self._caller_waits
                self._generating = self._open = self._interrupted = False
                self._over_at = now

    @property
    def generating(self) -> bool:
        """Whether more of the model's sound is to come."""
        return self._generating

    def free_at(self) -> float | None:
        """From when on nobody is cut short; None while the model speaks."""
        if self._open:
            return None
        free_at = self._over_at + SETTLE_S
        if self._asked:
            free_at = max(free_at, self._asked_at + ANSWER_S)
        if self._caller_waits:
            # a moment more: who leaves then must not take what was no speech for a question
            free_at = max(free_at, self._loud_at + ANSWER_S + SETTLE_S)
        return free_at

    def lost(self, now: float) -> None:
        """Learn that the connection is gone: who was cut short or waits must not wait in vain."""
        if now - self._asked_at > FORGOTTEN_S:
            self._asked = ""
        waits = self._caller_waits and PAUSE_S <= now - self._loud_at <= ANSWER_S
        if self._generating or waits:
            self.owes(GO_ON, now)
        self._generating = self._open = self._interrupted = self._caller_waits = False

    def owes(self, text: str, now: float) -> None:
        """Have the model told this on the next connection, unless it is to be told something."""
        if not self._asked:
            self.asked(text, now)

    def owed(self, now: float) -> str:
        """Give what the model must be told on a new connection, now."""
        self._asked_at = now
        return self._asked


class Departure:
    """When to leave one connection of our own accord."""

    def __init__(self, opened_at: float, life_s: float | None) -> None:
        self.latest: float | None = None
        """Leave then, whoever speaks."""
        self._earliest = float("inf")
        if life_s is not None:
            self.latest = opened_at + life_s - LEAVE_BEFORE_S
            self._earliest = self.latest - LOOK_AHEAD_S

    def go_away(self, now: float, time_left_s: float | None) -> None:
        """Learn that the service will close it."""
        left_s = SHORT_NOTICE_S if time_left_s is None else time_left_s
        self._earliest, self.latest = now, now + max(0.0, left_s - LEAVE_BEFORE_S)

    def is_due(self, now: float) -> bool:
        """Whether the next pause is to be used."""
        return now >= self._earliest

    def at(self, free_at: float | None) -> float | None:
        """Give the time to leave, None for never."""
        if self.latest is None or free_at is None:
            return self.latest
        return min(self.latest, max(self._earliest, free_at))
