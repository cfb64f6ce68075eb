"""Whether a UDP socket has gone deaf: a pure decider, told of its errors and of what it hears.

On Windows a socket may never read again after one WinError 10054 (docs/windows.md, fact 1). It
still sends, so nothing but the quiet after the error shows it.
"""

GAP_S = 5.0
"""No socket is replaced more often than this."""


class Hearing:
    """Of one address of ours, by whichever socket."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        """A socket that hears nothing for so long after an error is held to be deaf."""
        self.errors = 0
        """Errors of the socket, survived."""
        self.replaced = 0
        """How often another socket took the place of a deaf one."""
        self._quiet_since: float | None = None
        self._tried_at = float("-inf")

    @property
    def due(self) -> float | None:
        """When the socket is to be replaced unless something is heard; None where it is well."""
        if self._quiet_since is None:
            return None
        return max(self._quiet_since + self._quiet_s, self._tried_at + GAP_S)

    def erred(self, now: float) -> None:
        """Note an error."""
        self.errors += 1
        if self._quiet_since is None:
            self._quiet_since = now

    def heard(self) -> None:
        """Note a datagram, whoever sent it."""
        self._quiet_since = None

    def postpone(self, now: float) -> None:
        """Note that nothing is due to be heard now: the quiet proves nothing."""
        self._quiet_since = now

    def tried(self, now: float, *, done: bool) -> None:
        """Note that the socket was replaced, or that the system refused."""
        self._tried_at = now
        self.replaced += done
        if done:
            self._quiet_since = None
