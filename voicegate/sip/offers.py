"""Offers inside a call that is up: the peer's by INVITE or UPDATE, ours to keep the session alive.

One at a time and never two that cross (RFC 3261 14, RFC 3264 4, RFC 3311 5).
"""

from __future__ import annotations

from collections.abc import Callable

from voicegate.sip.accept import Acceptance
from voicegate.sip.address import Flow
from voicegate.sip.core import UaCore
from voicegate.sip.dialog import SDP_TYPE, Dialog
from voicegate.sip.events import AnswerReceived, DialogId, OfferReceived
from voicegate.sip.message import Headers, Received, Request, Response
from voicegate.sip.reply import ACCEPT, ALLOW, SUPPORTED
from voicegate.sip.session_timer import MIN_SE_S, SessionTimer, is_too_short
from voicegate.sip.transaction import LINGER_S, Transaction

GONE = (408, 481)
"""RFC 3261 12.2.1.2: a request so answered, or not at all, tells that the dialog is over."""
UNKNOWN = (405, 501)
"""The peer said that it takes UPDATE, and does not."""


class Offers:
    """Who has offered what to whom in one dialog."""

    def __init__(
        self,
        core: UaCore,
        name: DialogId,
        dialog: Dialog,
        on_lost: Callable[[float], None],
        *,
        we_began: bool,
    ) -> None:
        self.local = b""
        """Our newest description: what a refresh offers again."""
        self.timer = SessionTimer(
            core.layer.timers,
            wish_s=core.session_expires_s,
            refresh=self.refresh,
            expire=on_lost,
        )
        self._core = core
        self._name = name
        self._dialog = dialog
        self._on_lost = on_lost
        self._we_began = we_began
        self._theirs: tuple[Received, Transaction] | None = None
        self._acceptance: Acceptance | None = None
        self._ours = False
        self._over = False
        self._acks: dict[int, tuple[Request, Flow]] = {}

    @property
    def is_waiting(self) -> bool:
        """A 2xx of ours still waits for its ACK."""
        return self._acceptance is not None and self._acceptance.is_waiting

    # Theirs

    def receive(self, got: Received, now: float, *, is_up: bool) -> None:
        """An INVITE or UPDATE of the peer; `is_up` says whether one may be taken now."""
        request = got.request
        is_update = request.method == "UPDATE"
        if self._ours and (request.body or not is_update):
            # RFC 3261 14.2, RFC 3311 5.2: the two offers have crossed
            self._core.counters["glares"] += 1
            self._core.answer(got, 491, now, tag=self._dialog.id.local_tag)
        elif self._theirs is not None or not is_up:
            # RFC 3261 14.2: one at a time; a random 0 to 10 s keeps two peers out of step
            after_s = self._core.random.randint(0, 10)
            self._core.answer_stateless(got, 500, [("Retry-After", str(after_s))])
        elif is_too_short(request):
            headers = (("Min-SE", str(MIN_SE_S)),)
            self._core.answer(got, 422, now, tag=self._dialog.id.local_tag, headers=headers)
        elif is_update and not request.body:
            self._accept_update(got, b"", now)
        elif self._core.layer.is_full:
            self._core.counters["dropped_transactions"] += 1
            self._core.answer_stateless(got, 500)
        else:
            self._take(got, now)

    def _take(self, got: Received, now: float) -> None:
        if self._acceptance is not None and got.request.method == "INVITE":
            self._acceptance.stop()
        self._theirs = (got, self._core.layer.serve(got, now))
        self._core.events.append(OfferReceived(self._name, got.request.body))

    def answer(self, body: bytes | None, now: float) -> None:
        """Answer what is open: 2xx with this body, or 488. The call goes on either way."""
        if self._theirs is None:
            return
        if body is None:
            self.refuse(488, now)
            return
        (got, transaction), self._theirs = self._theirs, None
        self.local = body
        if got.request.method == "UPDATE":
            self._respond_to_update(got, transaction, body, now)
            return
        self._dialog.refresh_target(got.request)
        granted = self.timer.grant(got.request, now)
        headers = (self._dialog.contact, ALLOW, ACCEPT, SUPPORTED, *granted)
        response = self._response(got, 200, headers, body)
        layer = self._core.layer
        self._acceptance = Acceptance(
            layer, transaction, got.request, response, now, self._ack_missing
        )

    def _accept_update(self, got: Received, body: bytes, now: float) -> None:
        self._respond_to_update(got, self._core.layer.serve(got, now), body, now)

    def _respond_to_update(
        self, got: Received, transaction: Transaction, body: bytes, now: float
    ) -> None:
        self._dialog.refresh_target(got.request)
        headers = (self._dialog.contact, ALLOW, *self.timer.grant(got.request, now))
        response = self._response(got, 200, headers, body)
        self._core.layer.respond(transaction, response, now)

    def acknowledge(self, ack: Request) -> None:
        """An ACK of this dialog: it may bring the answer to what our 2xx offered."""
        waited = self._acceptance
        if waited is None or not waited.acknowledge(ack) or waited.invite.body:
            return
        if ack.body:
            self._core.events.append(AnswerReceived(self._name, ack.body))

    def cancel(self, transaction: Transaction, now: float) -> bool:
        """The peer takes its offer back: whether that was still possible."""
        if self._theirs is None or transaction is not self._theirs[1]:
            return False
        self.refuse(487, now)
        return True

    def refuse(self, status: int, now: float) -> None:
        """Answer what is open with this refusal; harmless where nothing is."""
        if self._theirs is not None:
            (got, transaction), self._theirs = self._theirs, None
            self._core.layer.respond(transaction, self._response(got, status), now)

    def stop(self, now: float) -> None:
        """The dialog ends: nothing is resent, nothing refreshed any more."""
        self._over = True
        self.refuse(487, now)
        self.timer.stop()
        if self._acceptance is not None:
            self._acceptance.stop()

    def _ack_missing(self, _now: float) -> None:
        """RFC 3261 14.2 would end the call here (SHOULD). Sloppy gates lose this ACK in calls
        that work: count it, and let the call go on."""
        self._core.counters["reinvite_acks_missing"] += 1

    # Ours

    def refresh(self, now: float) -> None:
        """RFC 4028 7.4: by UPDATE if the peer takes it, else by an INVITE that changes nothing."""
        if self._theirs is not None or self._ours:
            # whoever has the word refreshes as well; if not, there is time for one more try
            self._core.layer.timers.at(now + 1.0, self._again)
            return
        self._ours = True
        core, timer = self._core, self.timer.asked(refresher="uac")
        headers: Headers = (self._dialog.contact, ALLOW, SUPPORTED, *timer)
        method, body = "UPDATE", b""
        if "UPDATE" not in self._dialog.allows:
            method, body, headers = "INVITE", self.local, (*headers, SDP_TYPE)
        request = self._dialog.request(
            method, branch=core.new_branch(), product=core.product, headers=headers, body=body
        )
        core.counters["refreshes"] += 1
        core.layer.start(
            request,
            core.way_of(self._dialog),
            now,
            lambda response, now: self._refreshed(request, response, now),
            limit_s=LINGER_S,
        )

    def _again(self, now: float) -> None:
        if not self._over:
            self.refresh(now)

    def _refreshed(self, request: Request, response: Response | None, now: float) -> None:
        if response is not None and response.status < 200:
            return
        first, self._ours = self._ours, False
        if response is not None and response.status < 300 and request.method == "INVITE":
            self._acknowledge(request, response, first)
        if self._over or not first:
            return
        if response is None or response.status in GONE:
            self._on_lost(now)
        elif response.status < 300:
            self._dialog.refresh_target(response)
            self.timer.granted(response, now)
        elif response.status in UNKNOWN and request.method == "UPDATE":
            self._dialog.allows -= {"UPDATE"}
            self._again(now)
        elif response.status == 491 or self.timer.raise_to(response):
            self._core.layer.timers.at(now + self._glare_wait_s(response.status), self._again)

    def _acknowledge(self, request: Request, response: Response, first: bool) -> None:
        """RFC 3261 13.2.2.4: each 2xx that comes is acknowledged, the same way."""
        core = self._core
        if first:
            ack = self._dialog.ack(request, branch=core.new_branch(), product=core.product)
            self._acks = {request.cseq.number: (ack, core.way_of(self._dialog))}
            if response.body:
                core.events.append(AnswerReceived(self._name, response.body))
        if (known := self._acks.get(request.cseq.number)) is not None:
            core.layer.send(*known)

    def _glare_wait_s(self, status: int) -> float:
        """RFC 3261 14.1: who made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s."""
        if status != 491:
            return 0.0
        low, high = (210, 400) if self._we_began else (0, 200)
        return self._core.random.randint(low, high) / 100

    def _response(
        self, got: Received, status: int, headers: Headers = (), body: bytes = b""
    ) -> Response:
        tag = self._dialog.id.local_tag
        return self._core.response(got, status, tag=tag, headers=headers, body=body)
