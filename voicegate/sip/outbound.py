"""A call that we begin (RFC 3261 13.2): from our INVITE to its ACK.

CALLING --2xx: ACK--> CONFIRMED --BYE, either side--> ENDED
   |  +--refusal, or none in 32 s--> ENDED, or CALLING again with what was asked for
   +--hang_up: CANCEL--> GIVEN_UP --487, or none in 32 s--> ENDED
                            +--2xx all the same: ACK, BYE--> ENDED
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicegate.sip.address import Flow
from voicegate.sip.core import UaCore
from voicegate.sip.dialog import CREDENTIALS, SDP_TYPE, Dialog
from voicegate.sip.events import CallAnswered, CallFailed, CallRinging, DialogId
from voicegate.sip.incall import CallState, DialogUsage, ignore
from voicegate.sip.login import Login
from voicegate.sip.message import Headers, Request, Response
from voicegate.sip.reply import ACCEPT, ALLOW, SUPPORTED
from voicegate.sip.session_timer import SessionTimer

MAX_ATTEMPTS = 5
"""A proxy's password, a server's, a stale nonce, a longer session: then it is a refusal."""
MAX_ANSWERS = 16
"""So many forks are acknowledged and ended; what comes beside is not."""


@dataclass(frozen=True, slots=True)
class InvitePlan:
    """Whom to call, and how."""

    uri: str
    """The Request-URI, and who is in To."""
    caller: str
    """Our own URI, in From."""
    flow: Flow
    """The way of the INVITE."""
    sdp: bytes
    """Our offer."""
    call_id: str
    """Nobody else's: `UaCore.new_call_id`."""
    login: Login | None = None
    """Our account there, for 401 and 407."""


class OutboundUsage(DialogUsage):
    """The call of an INVITE that we send."""

    def __init__(
        self,
        core: UaCore,
        plan: InvitePlan,
        now: float,
        on_release: Callable[[DialogUsage], None],
    ) -> None:
        name = DialogId(plan.call_id, core.new_tag(), "")
        super().__init__(core, name, CallState.CALLING, on_release)
        self._plan = plan
        self._number = core.random.randint(1, 9999)
        self._attempts = 0
        self._may_cancel = False
        self._acks: dict[str, tuple[Request, Flow]] = {}
        # only for what it says in the INVITE: the call's own begins with its dialog
        self._timer = SessionTimer(
            core.layer.timers, wish_s=core.session_expires_s, refresh=_never, expire=_never
        )
        self._invite = self._send_invite(now)

    # Commands

    def hang_up(self, now: float) -> bool:
        """BYE if the call is up: then True. CANCEL before the answer."""
        if self.state is CallState.CALLING:
            self.state = CallState.GIVEN_UP
            # RFC 3261 9.1: not before a provisional response
            if self._may_cancel:
                self._send_cancel(now)
            return False
        return super().hang_up(now)

    # What the peer answers

    def _answered(self, request: Request, response: Response | None, now: float) -> None:
        """A response to an INVITE of ours; None where none came in time."""
        if response is None:
            # RFC 3261 8.1.3.1, but told apart: it rang and nobody came, or nobody is there at all
            self._fail(*((408, "No Answer") if self._may_cancel else (503, "No Response")), now)
        elif response.status >= 300:
            self._refused(request, response, now)
        elif response.status >= 200:
            self._accepted(request, response, now)
        elif request is self._invite:
            self._progress(response, now)

    def _progress(self, response: Response, now: float) -> None:
        first, self._may_cancel = not self._may_cancel, True
        if self.state is CallState.GIVEN_UP and first:
            self._send_cancel(now)
        elif self.state is CallState.CALLING and response.status > 100:
            event = CallRinging(self.name, response.status, response.body)
            self._core.events.append(event)

    def _refused(self, request: Request, response: Response, now: float) -> None:
        # RFC 3261 17.1.1.3: the transaction has acknowledged it
        if request is not self._invite:
            return
        if self.state is CallState.CALLING and self._attempts < MAX_ATTEMPTS:
            login = self._plan.login
            credentials = login.answer(request, response) if login is not None else None
            if credentials is not None or self._timer.raise_to(response):
                self._invite = self._send_invite(now, credentials or _credentials_of(request))
                return
        self._fail(response.status, response.reason, now)

    def _accepted(self, request: Request, response: Response, now: float) -> None:
        tag = response.to.tag
        if tag in self._acks:
            # RFC 3261 13.2.2.4: each 2xx that comes again is acknowledged again
            self._core.layer.send(*self._acks[tag])
        elif len(self._acks) < MAX_ANSWERS:
            self._acknowledge(request, response, now)

    def _acknowledge(self, request: Request, response: Response, now: float) -> None:
        core, plan = self._core, self._plan
        dialog = Dialog.of_answer(request, response, *plan.flow[:2])
        ack = dialog.ack(request, branch=core.new_branch(), product=core.product)
        where = core.way_of(dialog)
        self._acks[response.to.tag] = (ack, where)
        core.layer.send(ack, where)
        if self.state is CallState.CALLING:
            self.state = CallState.CONFIRMED
            self._begin_dialog(dialog, we_began=True)
            self.offers.local = plan.sdp
            self.offers.timer.granted(response, now)
            core.events.append(CallAnswered(self.name, response.body))
        elif self.state is CallState.GIVEN_UP:
            # RFC 3261 9.1: the 200 crossed our CANCEL, so the call is up
            self._begin_dialog(dialog, we_began=True)
            self._tell_failure(487, "Given Up")
            self._send_bye(now)
        else:
            # RFC 3261 13.2.2.4: another fork has answered too; the first has won
            core.counters["forks"] += 1
            bye = dialog.request("BYE", branch=core.new_branch(), product=core.product)
            core.layer.start(bye, where, now, ignore)

    # What we send

    def _send_invite(self, now: float, credentials: Headers = ()) -> Request:
        core, plan = self._core, self._plan
        self._attempts += 1
        self._number += 1
        self._may_cancel = False
        request = Request(
            "INVITE",
            plan.uri,
            (
                ("Via", f"SIP/2.0/UDP {plan.flow.local};branch={core.new_branch()};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<{plan.caller}>;tag={self.name.local_tag}"),
                ("To", f"<{plan.uri}>"),
                ("Call-ID", self.name.call_id),
                ("CSeq", f"{self._number} INVITE"),
                ("Contact", f"<{plan.flow.local.uri}>"),
                *credentials,
                ALLOW,
                ACCEPT,
                SUPPORTED,
                *self._timer.asked(),
                ("User-Agent", core.product),
                SDP_TYPE,
            ),
            plan.sdp,
        )
        core.layer.start(
            request,
            plan.flow,
            now,
            lambda response, now: self._answered(request, response, now),
        )
        return request

    def _send_cancel(self, now: float) -> None:
        """RFC 3261 9.1: all as in the INVITE, but the method; no answer within 32 s is one too."""
        names = ("via", "route", "max-forwards", "from", "to", "call-id")
        kept = tuple(pair for pair in self._invite.headers if pair[0].lower() in names)
        number = ("CSeq", f"{self._number} CANCEL")
        cancel = Request(
            "CANCEL", self._invite.uri, (*kept, number, ("User-Agent", self._core.product))
        )
        self._core.layer.cancel(self._invite, cancel, now)

    # How it ends

    def _fail(self, status: int, reason: str, now: float) -> None:
        if self.state in (CallState.CALLING, CallState.GIVEN_UP):
            self._tell_failure(status, reason)
            self._end(now)

    def _tell_failure(self, status: int, reason: str) -> None:
        self._core.events.append(CallFailed(self.name, status, reason))


def _credentials_of(request: Request) -> Headers:
    return tuple(pair for pair in request.headers if pair[0].lower() in CREDENTIALS)


def _never(_now: float) -> None:
    """A timer that never runs has nothing to do."""
