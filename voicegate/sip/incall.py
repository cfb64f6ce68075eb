"""What a call is from its answer on (RFC 3261 12 to 15), whichever side began it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from voicegate.sip.core import UaCore
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import (
    CallHungUp,
    CallLost,
    DialogId,
    DialogReleased,
    InfoReceived,
)
from voicegate.sip.message import Received, Request, Response
from voicegate.sip.offers import Offers
from voicegate.sip.refer import Referrals
from voicegate.sip.reply import capabilities
from voicegate.sip.transaction import LINGER_S, Transaction


class CallState(Enum):
    CALLING = auto()
    """Our INVITE is under way."""
    GIVEN_UP = auto()
    """Our INVITE is being cancelled: whatever comes of it now is ended."""
    OFFERED = auto()
    ANSWERED = auto()
    CONFIRMED = auto()
    LEAVING = auto()
    """Hung up by us before the ACK: the BYE is held back."""
    ENDED = auto()
    """Kept for 32 s, to answer what comes late."""


class DialogUsage:
    """A call as the protocol sees it (RFC 5057). Commands that come too late do nothing."""

    dialog: Dialog
    offers: Offers
    referrals: Referrals
    is_named = False
    """Whether both tags are known: from then on there are a dialog, offers and referrals."""

    def __init__(
        self,
        core: UaCore,
        name: DialogId,
        state: CallState,
        on_release: Callable[[DialogUsage], None],
    ) -> None:
        self.state = state
        self.name = name
        """How our user knows it, from the first to the last event."""
        self._core = core
        self._on_release = on_release

    def _begin_dialog(self, dialog: Dialog, *, we_began: bool) -> None:
        self.dialog = dialog
        self.is_named = True
        self.offers = Offers(self._core, self.name, dialog, self._lost, we_began=we_began)
        self.referrals = Referrals(self._core, self.name, dialog, self._lost)

    # Commands

    def hang_up(self, now: float) -> bool:
        """BYE, if the call is up: then True."""
        if self.state is not CallState.CONFIRMED:
            return False
        self._send_bye(now)
        return True

    def abort(self, now: float) -> None:
        """End it whatever its state."""
        self.hang_up(now)

    def answer_offer(self, body: bytes | None, now: float) -> None:
        """Answer the re-INVITE or UPDATE: 200 with this body, or 488. The call goes on."""
        if self.is_named:
            self.offers.answer(body, now)

    def refer(self, target: str, now: float) -> bool:
        """Ask the peer to call that URI; False where that cannot be asked now."""
        return self.state is CallState.CONFIRMED and self.referrals.refer(target, now)

    # What the peer sends

    def is_meant_by(self, got: Received) -> bool:
        """Whether the request names this dialog: Call-ID and our tag are known to be right."""
        return self.is_named and got.request.from_.tag == self.dialog.id.remote_tag

    def acknowledge(self, ack: Request, now: float) -> None:  # noqa: ARG002 - some need it
        """An ACK whose dialog this is."""
        self.offers.acknowledge(ack)

    def cancel(self, got: Received, transaction: Transaction, now: float) -> None:
        """A CANCEL whose INVITE belongs here; too late after a final answer (RFC 3261 9.2)."""
        self._core.answer(got, 200, now, tag=self.dialog.id.local_tag)
        self.offers.cancel(transaction, now)

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
        elif request.method == "OPTIONS":
            self._core.answer_stateless(got, 200, capabilities(got))
        else:
            self._receive_in_call(got, now)

    def _receive_in_call(self, got: Received, now: float) -> None:
        request = got.request
        if request.method in ("INVITE", "UPDATE"):
            self.offers.receive(got, now, is_up=self.state is not CallState.OFFERED)
            if self.state is CallState.LEAVING:
                self.offers.refuse(488, now)
        elif request.method == "REFER":
            self.referrals.receive(got, now)
        elif request.method == "NOTIFY":
            self.referrals.receive_notify(got, now)
        else:
            content_type = request.header("Content-Type") or ""
            self._core.events.append(InfoReceived(self.name, content_type, request.body))
            self._core.answer(got, 200, now)

    def _receive_bye(self, got: Received, now: float) -> None:
        self._core.answer(got, 200, now)
        if self.state is not CallState.ENDED:
            self._core.events.append(CallHungUp(self.name))
            self._end(now)

    # The rest

    @property
    def is_unsettled(self) -> bool:
        """A 2xx of ours still waits for its ACK."""
        return self.is_named and self.offers.is_waiting

    @property
    def is_up(self) -> bool:
        """Neither ended nor about to."""
        return self.state not in (CallState.LEAVING, CallState.GIVEN_UP, CallState.ENDED)

    def _lost(self, now: float) -> None:
        """The peer refreshes no more, or knows this dialog no more."""
        if self.state in (CallState.ANSWERED, CallState.CONFIRMED):
            self._core.counters["calls_lost"] += 1
            self._core.events.append(CallLost(self.name))
            self._send_bye(now)

    def _send_bye(self, now: float) -> None:
        core = self._core
        bye = self.dialog.request("BYE", branch=core.new_branch(), product=core.product)
        # whatever the final answer is (481 and 408 too) or if none comes, the call is over
        core.layer.start(bye, core.way_of(self.dialog), now, ignore)
        self._end(now)

    def _end(self, now: float) -> None:
        self.state = CallState.ENDED
        if self.is_named:
            self.offers.stop(now)
            self.referrals.stop(now)
        self._core.layer.timers.at(now + LINGER_S, self._release)

    def _release(self, _now: float) -> None:
        self._core.events.append(DialogReleased(self.name))
        self._on_release(self)


def ignore(_response: Response | None, _now: float) -> None:
    """Of a BYE or CANCEL no answer would change anything."""
