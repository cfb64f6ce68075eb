"""Whether the caller's RTP still comes: a line that has died sends no BYE."""

from enum import Enum


class Starved(Enum):
    """How the caller's RTP is missing."""

    NEVER_CAME = "never_came"
    STOPPED = "stopped"


class RtpLife:
    """Told of every packet and of holds; says when the patience is over."""

    def __init__(self, never_s: float, stopped_s: float) -> None:
        self._never_s = never_s
        self._stopped_s = stopped_s
        self.last_at: float | None = None
        """When the last packet came."""
        self.since = 0.0
        """Since when packets have been due, or have not."""
        self._parked = True

    def follow(self, *, parked: bool, now: float) -> None:
        """Packets are due from now on, or (parked on hold) are not."""
        self.since = now
        self._parked = parked

    def deadline(self, *, rests: bool) -> tuple[float, Starved] | None:
        """When the patience is over unless a packet comes; None where none is due.

        `rests`: the caller sends nothing while it is silent (DTX). Then a pause is no sign of
        death, and the longer patience holds.
        """
        never = self.last_at is None
        limit_s = self._never_s if never else self._stopped_s
        if self._parked or not limit_s:
            return None
        if never or self.last_at is None:
            return self.since + limit_s, Starved.NEVER_CAME
        if rests:
            limit_s = max(limit_s, self._never_s)
        return max(self.since, self.last_at) + limit_s, Starved.STOPPED
