"""How regularly the caller's packets come: what a report says of the way they took."""

_SAMPLES_PER_S = 8000
_STEP_MAX = 8000
"""A timestamp further away than a second of samples belongs to another stream, or to a hold."""


class Arrivals:
    """Fed with every packet of the stream and the time it came."""

    def __init__(self) -> None:
        self.max_gap_s = 0.0
        """The longest time in which no packet came."""
        self.jitter = 0.0
        """The interarrival jitter of RFC 3550 6.4.1 in samples, as it stands."""
        self._timestamp = 0
        self._at_s: float | None = None

    @property
    def jitter_ms(self) -> float:
        """The same in ms."""
        return self.jitter * 1000 / _SAMPLES_PER_S

    def packet(self, timestamp: int, now: float) -> None:
        """Take the next packet."""
        if self._at_s is not None:
            gap_s = now - self._at_s
            self.max_gap_s = max(self.max_gap_s, gap_s)
            step = ((timestamp - self._timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            if abs(step) <= _STEP_MAX:
                # RFC 3550 6.4.1: J(i) = J(i-1) + (|D(i-1,i)| - J(i-1)) / 16
                self.jitter += (abs(gap_s * _SAMPLES_PER_S - step) - self.jitter) / 16
        self._timestamp, self._at_s = timestamp, now
