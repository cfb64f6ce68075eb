"""The RTP ports: one even port a call, rested before the next call may have it.

The odd port above it is the call's too, for RTCP: it is lent and rests with the even one. The rest
keeps late packets of the last call out of the next one. A resting port has no socket.
"""

from collections import deque


class NoPortFree(Exception):
    """Every port is lent or still resting."""


class PortPool:
    """The even ports from `low` to `high` (both included), lent longest-rested first."""

    def __init__(self, ports: tuple[int, int], rest_s: float = 5.0) -> None:
        low, high = ports
        if not 0 < low <= high <= 65535:
            raise ValueError("the RTP ports must be a range between 1 and 65535")
        # RFC 3550 11: RTP should use an even port (RTCP the odd one above it).
        even = range(low + low % 2, high + 1, 2)
        if not even:
            raise ValueError("no even port in the range")
        self._rest_s = rest_s
        self._waiting = deque((port, float("-inf")) for port in even)
        self._lent: set[int] = set()

    @property
    def size(self) -> int:
        """How many ports there are in all."""
        return len(self._waiting) + len(self._lent)

    @property
    def lent(self) -> int:
        """How many ports calls hold now."""
        return len(self._lent)

    def resting(self, now: float) -> int:
        """How many ports were given back less than the rest ago."""
        return sum(ready_at > now for _, ready_at in self._waiting)

    def lend(self, now: float) -> int:
        """Give the port that has rested longest. Raises NoPortFree."""
        if not self._waiting or self._waiting[0][1] > now:
            raise NoPortFree(f"{self.lent} RTP ports lent, {self.resting(now)} resting")
        port, _ = self._waiting.popleft()
        self._lent.add(port)
        return port

    def give_back(self, port: int, now: float) -> None:
        """Take a lent port back; its rest begins. Raises ValueError if it was not lent."""
        if port not in self._lent:
            raise ValueError(f"port {port} was not lent")
        self._lent.remove(port)
        self._waiting.append((port, now + self._rest_s))

    def return_unused(self, port: int) -> None:
        """Take back a port that nobody was told of: it needs no rest."""
        if port not in self._lent:
            raise ValueError(f"port {port} was not lent")
        self._lent.remove(port)
        self._waiting.appendleft((port, float("-inf")))
