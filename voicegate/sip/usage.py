"""A call that the peer begins (RFC 3261 13.3): from its INVITE to its ACK.

OFFERED --answer--> ANSWERED --ACK--> CONFIRMED --BYE, either side--> ENDED
   |                    +--hang_up--> LEAVING --ACK, or none in 32 s: our BYE--> ENDED
   +--reject, CANCEL, BYE--> ENDED
"""

from __future__ import annotations

from collections.abc import Callable

from voicegate.sip.accept import Acceptance
from voicegate.sip.core import UaCore
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import AckMissing, CallCancelled, CallConfirmed
from voicegate.sip.incall import CallState as CallState
from voicegate.sip.incall import DialogUsage
from voicegate.sip.message import Headers, Received, Request, Response
from voicegate.sip.reply import ACCEPT, ALLOW, SUPPORTED
from voicegate.sip.session_timer import MIN_SE_S, is_too_short
from voicegate.sip.transaction import Input, State, Transaction


class InviteUsage(DialogUsage):
    """The call of an INVITE that we received."""

    def __init__(
        self,
        core: UaCore,
        got: Received,
        transaction: Transaction,
        on_release: Callable[[DialogUsage], None],
    ) -> None:
        dialog = Dialog.of_invite(got, core.new_tag(), core.random.randint(1, 9999))
        super().__init__(core, dialog.id, CallState.OFFERED, on_release)
        self._begin_dialog(dialog, we_began=False)
        self.invite = got
        self._transaction = transaction
        self._acceptance: Acceptance | None = None

    # Commands

    def ring(self, now: float) -> None:
        """180, unless a final answer is out."""
        if self.state is CallState.OFFERED:
            self._respond(180, now, (self.dialog.contact,))

    def answer(self, body: bytes, now: float) -> None:
        """200 with this body, resent until its ACK."""
        if self.state is not CallState.OFFERED:
            return
        self.state = CallState.ANSWERED
        self.offers.local = body
        granted = self.offers.timer.grant(self.invite.request, now)
        headers = (self.dialog.contact, ALLOW, ACCEPT, SUPPORTED, *granted)
        response = self._response(200, headers, body)
        self._acceptance = Acceptance(
            self._core.layer,
            self._transaction,
            self.invite.request,
            response,
            now,
            self._ack_missing,
        )

    def reject(self, status: int, now: float, retry_after_s: int | None = None) -> None:
        """A final refusal, 300 to 699."""
        if self.state is CallState.OFFERED:
            headers = () if retry_after_s is None else (("Retry-After", str(retry_after_s)),)
            self._respond(status, now, headers)
            self._end(now)

    def refuse_timer(self, now: float) -> bool:
        """RFC 4028 9: 422 where the session would end too soon; whether it was so."""
        if not is_too_short(self.invite.request):
            return False
        self._respond(422, now, (("Min-SE", str(MIN_SE_S)),))
        self._end(now)
        return True

    def hang_up(self, now: float) -> bool:
        """BYE, if the call is up: then True. RFC 3261 15: none before the ACK or 32 s."""
        if self.state is not CallState.ANSWERED:
            return super().hang_up(now)
        self.state = CallState.LEAVING
        return True

    def abort(self, now: float) -> None:
        """End it whatever its state: 500 before the answer, BYE after it."""
        self.reject(500, now)
        self.hang_up(now)

    # What the peer sends

    def acknowledge(self, ack: Request, now: float) -> None:
        """An ACK whose dialog this is."""
        super().acknowledge(ack, now)
        if self._acceptance is not None and self._acceptance.acknowledge(ack):
            self._confirm(ack, now)
        elif self._transaction.state is State.COMPLETED:
            # some gates send the ACK of a refusal with a branch of its own
            self._transaction.feed(Input.ACK, now)

    def _confirm(self, ack: Request, now: float) -> None:
        if self.state is CallState.LEAVING:
            self._send_bye(now)
            return
        self.state = CallState.CONFIRMED
        wanted = not self.invite.request.body
        self._core.events.append(CallConfirmed(self.name, ack.body if wanted else b""))

    def cancel(self, got: Received, transaction: Transaction, now: float) -> None:
        """A CANCEL whose INVITE is ours; too late after a final answer (RFC 3261 9.2)."""
        super().cancel(got, transaction, now)
        if transaction is self._transaction and self.state is CallState.OFFERED:
            self._core.events.append(CallCancelled(self.name))
            self.reject(487, now)

    def _receive_bye(self, got: Received, now: float) -> None:
        was_open = self.state is CallState.OFFERED
        super()._receive_bye(got, now)
        if was_open:
            # RFC 3261 15.1.2: pending requests are answered 487
            self._respond(487, now)

    # What time brings

    def _ack_missing(self, now: float) -> None:
        """RFC 3261 13.3.1.4: the dialog is confirmed, the call is ended with a BYE."""
        self._core.counters["acks_missing"] += 1
        self._core.events.append(AckMissing(self.name))
        self._send_bye(now)

    # The rest

    @property
    def is_unsettled(self) -> bool:
        """A 2xx of ours still waits for its ACK."""
        waits = self._acceptance is not None and self._acceptance.is_waiting
        return waits or super().is_unsettled

    def _response(self, status: int, headers: Headers = (), body: bytes = b"") -> Response:
        tag = self.dialog.id.local_tag
        return self._core.response(self.invite, status, tag=tag, headers=headers, body=body)

    def _respond(self, status: int, now: float, headers: Headers = ()) -> None:
        self._core.layer.respond(self._transaction, self._response(status, headers), now)

    def _end(self, now: float) -> None:
        if self._acceptance is not None:
            self._acceptance.stop()
        super()._end(now)
