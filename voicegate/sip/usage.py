"""The INVITE usage of a dialog (RFC 5057): one call from its INVITE to 32 s after its end.

OFFERED --answer--> ANSWERED --ACK--> CONFIRMED --BYE, either side--> ENDED
   |                    +--hang_up--> LEAVING --ACK, or none in 32 s: our BYE--> ENDED
   +--reject, CANCEL, BYE--> ENDED
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from voicegate.sip.accept import Acceptance
from voicegate.sip.core import UaCore
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import (
    AckMissing,
    CallCancelled,
    CallConfirmed,
    CallHungUp,
    DialogReleased,
    InfoReceived,
    OfferReceived,
)
from voicegate.sip.message import Headers, Received, Request, Response
from voicegate.sip.reply import ACCEPT, ALLOW, SUPPORTED, capabilities, contact
from voicegate.sip.transaction import LINGER_S, Input, State, Transaction


class CallState(Enum):
    OFFERED = auto()
    ANSWERED = auto()
    CONFIRMED = auto()
    LEAVING = auto()
    """Hung up by us before the ACK: the BYE is held back."""
    ENDED = auto()
    """Kept for 32 s, to answer what comes late."""


class InviteUsage:
    """A call as the protocol sees it. Commands that come too late do nothing."""

    def __init__(
        self,
        core: UaCore,
        got: Received,
        transaction: Transaction,
        on_release: Callable[[InviteUsage], None],
    ) -> None:
        self.state = CallState.OFFERED
        self.dialog = Dialog.of_invite(got, core.new_tag(), core.random.randint(1, 9999))
        self.invite = got
        self._core = core
        self._transaction = transaction
        self._on_release = on_release
        self._acceptance: Acceptance | None = None
        self._offer: tuple[Received, Transaction] | None = None
        self._offer_acceptance: Acceptance | None = None

    # Commands

    def ring(self, now: float) -> None:
        """180, unless a final answer is out."""
        if self.state is CallState.OFFERED:
            self._respond(self._transaction, self._response(self.invite, 180), now)

    def answer(self, body: bytes, now: float) -> None:
        """200 with this body, resent until its ACK."""
        if self.state is CallState.OFFERED:
            self.state = CallState.ANSWERED
            self._acceptance = self._accept(
                self.invite, self._transaction, body, now, self._ack_missing
            )

    def reject(self, status: int, now: float, retry_after_s: int | None = None) -> None:
        """A final refusal, 300 to 699."""
        if self.state is CallState.OFFERED:
            headers = () if retry_after_s is None else (("Retry-After", str(retry_after_s)),)
            response = self._response(self.invite, status, headers)
            self._respond(self._transaction, response, now)
            self._end(now)

    def hang_up(self, now: float) -> bool:
        """BYE, if the call is up: then True. RFC 3261 15: none before the ACK or 32 s."""
        if self.state not in (CallState.ANSWERED, CallState.CONFIRMED):
            return False
        if self.state is CallState.ANSWERED:
            self.state = CallState.LEAVING
        else:
            self._send_bye(now)
        return True

    def abort(self, now: float) -> None:
        """End it whatever its state: 500 before the answer, BYE after it."""
        self.reject(500, now)
        self.hang_up(now)

    def answer_offer(self, body: bytes | None, now: float) -> None:
        """Answer the re-INVITE: 200 with this body, or 488. The call goes on either way."""
        if self._offer is None:
            return
        got, transaction = self._offer
        self._offer = None
        if body is None:
            self._respond(transaction, self._response(got, 488), now)
            return
        self.dialog.refresh_target(got.request)
        self._offer_acceptance = self._accept(got, transaction, body, now, self._reack_missing)

    # What the peer sends

    def acknowledge(self, ack: Request, now: float) -> None:
        """An ACK whose dialog this is."""
        if self._offer_acceptance is not None:
            self._offer_acceptance.acknowledge(ack)
        if self._acceptance is not None and self._acceptance.acknowledge(ack):
            if self.state is CallState.ANSWERED:
                self.state = CallState.CONFIRMED
                self._core.events.append(CallConfirmed(self.dialog.id))
            elif self.state is CallState.LEAVING:
                self._send_bye(now)
        elif self._transaction.state is State.COMPLETED:
            # some gates send the ACK of a refusal with a branch of its own
            self._transaction.feed(Input.ACK, now)

    def cancel(self, got: Received, transaction: Transaction, now: float) -> None:
        """A CANCEL whose INVITE is ours; too late after a final answer (RFC 3261 9.2)."""
        self._core.answer(got, 200, now, tag=self.dialog.id.local_tag)
        if self._offer is not None and transaction is self._offer[1]:
            self._refuse_offer(487, now)
        elif transaction is self._transaction and self.state is CallState.OFFERED:
            self._core.events.append(CallCancelled(self.dialog.id))
            self.reject(487, now)

    def receive(self, got: Received, now: float) -> None:
        """Any other request of this dialog."""
        request = got.request
        # RFC 3261 12.2.2: a lower number is out of order and answered 500
        if request.cseq.number < self.dialog.remote_cseq:
            self._core.answer_stateless(got, 500, reason="CSeq Out Of Order")
            return
        self.dialog.remote_cseq = request.cseq.number
        if request.method == "BYE":
            self._receive_bye(got, now)
        elif self.state is CallState.ENDED:
            self._core.answer_stateless(got, 481)
        elif request.method == "INVITE":
            self._receive_offer(got, now)
        elif request.method == "OPTIONS":
            self._core.answer_stateless(got, 200, capabilities(got))
        else:
            content_type = request.header("Content-Type") or ""
            event = InfoReceived(self.dialog.id, content_type, request.body)
            self._core.events.append(event)
            self._core.answer(got, 200, now)

    def _receive_bye(self, got: Received, now: float) -> None:
        self._core.answer(got, 200, now)
        if self.state is CallState.ENDED:
            return
        if self.state is CallState.OFFERED:
            # RFC 3261 15.1.2: pending requests are answered 487
            self._respond(self._transaction, self._response(self.invite, 487), now)
        self._core.events.append(CallHungUp(self.dialog.id))
        self._end(now)

    def _receive_offer(self, got: Received, now: float) -> None:
        if self._offer is not None or self.state is CallState.OFFERED:
            # RFC 3261 14.2: one at a time; a random 0 to 10 s keeps two peers out of step
            after_s = self._core.random.randint(0, 10)
            self._core.answer_stateless(got, 500, [("Retry-After", str(after_s))])
            return
        if self._core.layer.is_full:
            self._core.counters["dropped_transactions"] += 1
            self._core.answer_stateless(got, 500)
            return
        if self._offer_acceptance is not None:
            self._offer_acceptance.stop()
        self._offer = (got, self._core.layer.serve(got, now))
        if self.state is CallState.LEAVING:
            self._refuse_offer(488, now)
        else:
            self._core.events.append(OfferReceived(self.dialog.id, got.request.body))

    # What time brings

    def _ack_missing(self, now: float) -> None:
        """RFC 3261 13.3.1.4: the dialog is confirmed, the call is ended with a BYE."""
        self._core.counters["acks_missing"] += 1
        self._core.events.append(AckMissing(self.dialog.id))
        self._send_bye(now)

    def _reack_missing(self, _now: float) -> None:
        """RFC 3261 14.2 would end the call here (SHOULD). Sloppy gates lose this ACK in calls
        that work: count it, and let the call go on."""
        self._core.counters["reinvite_acks_missing"] += 1

    # The rest

    @property
    def is_unsettled(self) -> bool:
        """A 2xx of ours still waits for its ACK."""
        answers = (self._acceptance, self._offer_acceptance)
        return any(answer is not None and answer.is_waiting for answer in answers)

    def _accept(
        self,
        got: Received,
        transaction: Transaction,
        body: bytes,
        now: float,
        on_missing: Callable[[float], None],
    ) -> Acceptance:
        headers = (contact(got), ALLOW, ACCEPT, SUPPORTED)
        response = self._response(got, 200, headers, body)
        return Acceptance(self._core.layer, transaction, got.request, response, now, on_missing)

    def _response(
        self, got: Received, status: int, headers: Headers = (), body: bytes = b""
    ) -> Response:
        # RFC 3261 12.1.1: what makes a dialog says where we are
        headers = headers or ((contact(got),) if 100 < status < 300 else ())
        tag = self.dialog.id.local_tag
        return self._core.response(got, status, tag=tag, headers=headers, body=body)

    def _respond(self, transaction: Transaction, response: Response, now: float) -> None:
        self._core.layer.respond(transaction, response, now)

    def _refuse_offer(self, status: int, now: float) -> None:
        if self._offer is not None:
            (got, transaction), self._offer = self._offer, None
            self._respond(transaction, self._response(got, status), now)

    def _send_bye(self, now: float) -> None:
        core = self._core
        bye = self.dialog.request("BYE", branch=core.new_branch(), product=core.product)
        # whatever the final answer is (481 and 408 too) or if none comes, the call is over
        flow = self.dialog.next_hop(core.may_send_to, core.local_towards)
        core.layer.start(bye, flow, now, _ignore)
        self._end(now)

    def _end(self, now: float) -> None:
        self.state = CallState.ENDED
        self._refuse_offer(487, now)
        for acceptance in (self._acceptance, self._offer_acceptance):
            if acceptance is not None:
                acceptance.stop()
        self._core.layer.timers.at(now + LINGER_S, self._release)

    def _release(self, _now: float) -> None:
        self._core.events.append(DialogReleased(self.dialog.id))
        self._on_release(self)


def _ignore(_response: Response | None, _now: float) -> None:
    """A BYE has no answer that would change anything."""
