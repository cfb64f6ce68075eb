"""A 2xx to an INVITE: resent by its user, not by its transaction, until the ACK comes."""

from __future__ import annotations

from collections.abc import Callable

from voicegate.sip.layer import TransactionLayer
from voicegate.sip.message import Request, Response
from voicegate.sip.transaction import LINGER_S, T1_S, T2_S, Transaction


class Acceptance:
    """One 2xx on its way (RFC 3261 13.3.1.4).

    Sent at 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s; at 32.0 s, by a timer of its own, `on_missing`
    is called.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        transaction: Transaction,
        invite: Request,
        response: Response,
        now: float,
        on_missing: Callable[[float], None],
    ) -> None:
        self._layer = layer
        self._transaction = transaction
        self.invite = invite
        self._response = response
        self._on_missing = on_missing
        self.is_waiting = True
        # set first, so that it fires before a resend that falls on the same instant
        self._limit = layer.timers.at(now + LINGER_S, self._give_up)
        self._send(now, T1_S)

    def _send(self, now: float, interval_s: float) -> None:
        self._layer.respond(self._transaction, self._response, now)
        self._resend = self._layer.timers.at(
            now + interval_s, lambda now: self._send(now, min(2 * interval_s, T2_S))
        )

    def _give_up(self, now: float) -> None:
        self.stop()
        self._on_missing(now)

    def acknowledge(self, ack: Request) -> bool:
        """True if this ACK is the one awaited. A later CSeq counts too: who acknowledges a
        re-INVITE has got our first answer."""
        if not self.is_waiting or ack.cseq.number < self.invite.cseq.number:
            return False
        self.stop()
        return True

    def stop(self) -> None:
        """No more resends; harmless twice."""
        self.is_waiting = False
        self._limit.cancel()
        self._resend.cancel()
