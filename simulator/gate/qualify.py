"""Qualify: the OPTIONS by which an Asterisk gate finds out whether its peer lives."""

import asyncio
from collections.abc import Callable

from .judge import Findings, Violation
from .transaction import ClientTransaction

PATIENCE_S = 2.0
"""chan_sip calls a peer unreachable that takes longer."""

KEPT = 1000


class Qualifier:
    """Asks in its period, and keeps the statuses (None: no answer in time)."""

    def __init__(
        self, ask: Callable[[], ClientTransaction], findings: Findings, period_s: float
    ) -> None:
        """`ask` sends an OPTIONS; a period shorter than the patience shortens the patience."""
        self.statuses: list[int | None] = []
        self._ask = ask
        self._findings = findings
        self._period_s = period_s
        self._patience_s = min(PATIENCE_S, period_s)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(period_s, self._begin)

    def stop(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _begin(self) -> None:
        self._timer = self._loop.call_later(self._patience_s, self._end, self._ask())

    def _end(self, transaction: ClientTransaction) -> None:
        transaction.stop()
        self.statuses = [*self.statuses, transaction.status][-KEPT:]
        if transaction.status is None:
            text = f"no answer to OPTIONS within {self._patience_s} s: a gate calls us unreachable"
            self._findings.add(Violation("qualify-unanswered", "RFC 3261 11.2", text))
        self._timer = self._loop.call_later(self._period_s - self._patience_s, self._begin)
