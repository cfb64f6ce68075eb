"""The pace of a stream: a packet each 20 ms for as long as packets are due (RFC 3551 4.2)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .judge import Violation
from .rtp import FRAME_S

if TYPE_CHECKING:
    from .rtp_judge import RtpStats

EXACT_TOLERANCE_S = 0.0005
GAP_MAX_S = 0.25
MEAN_TOLERANCE_S = 0.0002
MEAN_MIN_PACKETS = 250
"""In real time one late packet must not decide the mean: it is judged from 5 s on."""

EVENT_GAP_S = 0.1
"""RFC 4733 2.5.1.2: updates of an event come each 50 ms or sooner, and one may be lost."""


class Pace:
    """Told of each packet, and of the times at which packets begin and cease to be due."""

    def __init__(self, stats: "RtpStats", *, exact: bool) -> None:
        """`exact` is virtual time's rigour."""
        self.frame_s = FRAME_S
        """How long a packet is."""
        self._stats = stats
        self._exact = exact
        self._since: float | None = None
        self._run = 0
        self._whole = True
        self._event = False

    @property
    def patience_s(self) -> float:
        """How late a packet may be."""
        # On a busy machine a packet may be read long after it came, and in another order.
        return self.frame_s + EXACT_TOLERANCE_S if self._exact else GAP_MAX_S

    def due(self, now: float) -> None:
        """Packets are due from now on."""
        if self._since is None:
            self._since = now
            self._run = 0

    def not_due(self, now: float) -> None:
        """No packet is due any more (a hold)."""
        self._close(now)
        self._since = None
        self._whole = False

    def packet(self, now: float) -> None:
        """An audio packet came."""
        stats = self._stats
        if self._since is not None:
            first = self._run == 0 or stats.last_at is None
            gap = now - (self._since if first or stats.last_at is None else stats.last_at)
            self._note_gap(gap)
            if self._run:
                stats.intervals_s.append(gap)
                late = gap - self.frame_s
                # The second packet comes on the ticker's own phase: early, never late.
                early = self._run > 1 and late < -EXACT_TOLERANCE_S
                if (late > EXACT_TOLERANCE_S or early) and not self._event:
                    stats.uneven += 1
            self._run += 1
        self._event = False
        stats.first_at = now if stats.first_at is None else stats.first_at
        stats.last_at = now
        stats.packets += 1

    def event(self, now: float) -> None:
        """A packet of a telephone event came: in the place of audio, at a pace of its own."""
        stats = self._stats
        last_at = stats.last_at if stats.last_at is not None else self._since
        if self._since is not None and last_at is not None and now - last_at > EVENT_GAP_S:
            self._note_gap(now - last_at)
        self._event = True
        stats.last_at = now

    def judge(self, now: float) -> Iterator[Violation]:
        """What is wrong with the stream as a whole, at its end."""
        stats = self._stats
        if self._since is not None:
            self._close(now)
        if stats.longest_gap_s > self.patience_s:
            text = f"{stats.longest_gap_s * 1000:.1f} ms without a packet ({stats.packets} in all)"
            yield Violation("rtp-gap", "RFC 3551 4.2", text)
        elif self._exact and stats.uneven:
            length = f"{self.frame_s * 1000:.0f} ms"
            text = f"{stats.uneven} of {stats.packets} packets not {length} after the one before"
            yield Violation("rtp-spacing", "RFC 3551 4.2", text)
        mean = stats.mean_interval_s
        if self._exact or not self._whole or mean is None or stats.packets < MEAN_MIN_PACKETS:
            return
        if abs(mean - self.frame_s) > MEAN_TOLERANCE_S:
            text = f"a packet each {mean * 1000:.2f} ms"
            yield Violation("rtp-spacing", "RFC 3551 4.2", text)

    def _close(self, now: float) -> None:
        if self._since is not None:
            self._note_gap(now - max(self._since, self._stats.last_at or self._since))

    def _note_gap(self, gap: float) -> None:
        if not self._event or gap > EVENT_GAP_S:
            self._stats.longest_gap_s = max(self._stats.longest_gap_s, gap)
