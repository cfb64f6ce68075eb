"""One direction of a call as evidence: its sound, and what was found in it."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from simulator.audio.pcm import Pcm

Envelope = npt.NDArray[np.int16]


class FaultKind(StrEnum):
    """What may be wrong with a lane's sound."""

    HOLE = "hole"
    CLIPPING = "clipping"
    DROPOUT = "dropout"


@dataclass(frozen=True)
class AudioFault:
    """A place in a lane where something is wrong with the sound."""

    kind: FaultKind
    """What is wrong."""

    start_s: float
    """Seconds from the start of the lane."""

    end_s: float
    """The same, of its end."""

    def __str__(self) -> str:
        length_ms = (self.end_s - self.start_s) * 1000
        return f"{self.kind} of {length_ms:.0f} ms at {self.start_s:.2f} s"


@dataclass(frozen=True)
class StampSeen:
    """One stamp, as it was said on one side and heard on the other."""

    identity: int
    """Whose audio."""

    sequence: int
    """Which piece of it."""

    said_at_s: float | None
    """When it was said, seconds from the start of the lane; None: nobody is known to have."""

    heard_at_s: float | None
    """When it was heard; None: it never was."""

    foreign: bool = False
    """It belongs to nobody who speaks in this direction."""

    due: bool = True
    """It was said early enough before the end of the call to be heard."""

    @property
    def at_s(self) -> float:
        """Where to show it."""
        return (self.heard_at_s if self.said_at_s is None else self.said_at_s) or 0.0

    @property
    def latency_ms(self) -> float | None:
        """From mouth to ear."""
        if self.said_at_s is None or self.heard_at_s is None:
            return None
        return (self.heard_at_s - self.said_at_s) * 1000

    @property
    def lost(self) -> bool:
        """It was said in time and never heard."""
        return self.due and self.heard_at_s is None


@dataclass(frozen=True)
class Response:
    """An utterance of the caller and the answer to it."""

    asked_until_s: float
    """Where the caller's last sound ends, seconds from the start of the lanes."""

    answered_from_s: float
    """Where the first sound of the answer has been heard."""

    @property
    def ms(self) -> float:
        """The time between them."""
        return round((self.answered_from_s - self.asked_until_s) * 1000, 3)


@dataclass(frozen=True)
class Hearing:
    """Whether one side heard the other."""

    ok: bool | None
    """None: there is no ear on that side, so it cannot be told."""

    text: str
    """What was heard, and what was due."""


@dataclass(frozen=True)
class Lane:
    """One direction of a call, placed at the time of arrival."""

    speaker: str
    """caller or gateway."""

    duration_s: float
    """Its length, that of the call."""

    level_dbfs: float | None
    """The level of the whole; None when there was no sound at all."""

    peak: int
    """The highest sample's amount, 0 to 32768."""

    envelope: Envelope = field(compare=False, repr=False)
    """Lowest and highest sample of each of n equal stretches, [2, n]."""

    stamps: tuple[StampSeen, ...] = ()
    """In the order they are shown."""

    faults: tuple[AudioFault, ...] = ()
    """In order of time."""

    faults_dropped: int = 0
    """How many more there were beyond the bound."""

    pcm: Pcm | None = field(default=None, compare=False, repr=False)
    """Its samples at 8 kHz; None where they were not kept."""
