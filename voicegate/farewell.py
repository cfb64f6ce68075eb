"""Farewell: once goodbye was said, when has the caller heard all of the answer? Pure.

It is told what the model sends and asked with what is still queued; it never waits.
"""

from enum import StrEnum

FAREWELL_LIMIT_S = 10.0
"""After a goodbye, or its last sound, more of it is waited for so long where no end is told."""
TOOL_PATIENCE_S = 2.0
"""Who asks to hang up may have said goodbye before: more of it is waited for no longer."""
PLAYOUT_MARGIN_S = 2.0
"""What is queued must be played out in its own length and this."""
SETTLE_S = 0.3
"""Between the farewell's last packet and the BYE: the caller's jitter buffer plays out too."""
CALLED_OFF_BY_S = 0.8
"""So much speech of the caller calls a farewell off; an answering "bye" is shorter."""
DOUBT_S = 3.0
"""Where the service says that the caller speaks and we heard nothing: quiet speech has its
transcript within this, noise has none."""


class LeaveTaking(StrEnum):
    """How goodbye was said."""

    CALLER = "caller"
    MODEL = "model"
    TOOL = "tool"


class Farewell:
    """From a goodbye to the moment of the hang-up, or until it is called off."""

    def __init__(self) -> None:
        self.by: LeaveTaking | None = None
        """Who has said goodbye; None while nobody is leaving."""
        self._awaited_until = 0.0
        self._bound: float | None = None
        self._drained_at: float | None = None
        self._sounded = self._unsaid = False
        self._caller_s = 0.0
        self.doubted = False
        """Whether the caller may be going on to talk, too quietly to be sure."""

    def begin(self, now: float, by: LeaveTaking, *, awaits: bool) -> None:
        """Note a goodbye; `awaits`: the model's farewell, or more of it, is still to come."""
        if self.by is not None:
            # who asks to hang up means it, whatever is said next
            self.by = by if by is LeaveTaking.TOOL else self.by
            return
        patience_s = TOOL_PATIENCE_S if by is LeaveTaking.TOOL else FAREWELL_LIMIT_S
        self.by = by
        self._awaited_until = now + patience_s if awaits else now
        self._bound = self._drained_at = None
        self._sounded = self.doubted = False
        self._unsaid = by is LeaveTaking.TOOL
        self._caller_s = 0.0

    def call_off(self) -> None:
        """Note that nobody leaves."""
        self.by, self.doubted = None, False

    def doubt(self, now: float) -> None:
        """Note that the farewell was cut, and that nobody was heard to speak."""
        self.doubted = self.by is not None
        self._awaited_until = now + DOUBT_S

    def model_sounds(self, now: float) -> None:
        """Note sound of the model: it is not through."""
        self._sounded = True
        self._awaited_until = now + FAREWELL_LIMIT_S
        self._bound = None

    def model_done(self, now: float) -> None:
        """Note that all sound of the turn was sent.

        A turn that only asked to hang up is none to wait for: the farewell may be the next one.
        """
        if not self.doubted and (self._sounded or not self._unsaid):
            self._awaited_until = min(self._awaited_until, now)

    def caller_speaks(self, seconds: float) -> bool:
        """Note speech of the caller; say whether it is so much that the talk goes on."""
        self._caller_s += seconds
        return self._caller_s >= CALLED_OFF_BY_S

    def heard(self, now: float, queued_ms: float) -> bool:
        """Say whether all of it was heard; `queued_ms` of the model's sound have not left yet."""
        if self.by is None or now < self._awaited_until:
            return False
        if self._bound is None:
            self._bound = now + queued_ms / 1000 + PLAYOUT_MARGIN_S
        if queued_ms > 0 and now < self._bound:
            self._drained_at = None
            return False
        if self._drained_at is None:
            self._drained_at = now
        return now >= self._drained_at + SETTLE_S
