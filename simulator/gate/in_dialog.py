"""What the gateway asks inside a call, and what the gate answers: each request judged first."""

import asyncio
from collections import OrderedDict

from .judge import Violation
from .judge_invite import contact_rules, judge_ack
from .judge_request import judge_in_dialog
from .leg import CallLeg
from .response import NO_SUCH_CALL, REASONS, Reply, reply
from .server import InviteServer
from .session_timer import SessionTimer, judge_timer_request, session_timer
from .sip_socket import UdpSocket
from .transfer import Transfer, TransferPlan, fragment, judge_refer
from .wire import Address, RawMessage

SERVERS_MAX = 16
INFOS_MAX = 256
REFERS_MAX = 16
REFRESHERS = ("UPDATE", "REFER", "NOTIFY")
"""RFC 3311 5.1, RFC 3515 2.2, RFC 6665: these bring a Contact as re-INVITE does."""


class InDialog(CallLeg):
    """The gate's side of requests that the gateway sends in a call."""

    refuse_reinvite: int | None = None
    "Answer the gateway's re-INVITE and UPDATE with this status."

    transfer_plan = TransferPlan()
    "How to answer a REFER of the gateway."

    session_timer: SessionTimer | None = None
    "What was agreed by Session-Expires."

    def __init__(self, *arguments: object, **keywords: object) -> None:
        super().__init__(*arguments, **keywords)  # type: ignore[arg-type]
        self.infos: list[tuple[str, bytes]] = []
        """Content-Type and body of the INFOs that the gateway sent."""
        self.refers: list[str] = []
        """The Refer-To values of the gateway's REFERs."""
        self.refreshed_at: list[float] = []
        """When the gateway refreshed the session, by re-INVITE or UPDATE."""
        self.reoffers: list[bytes] = []
        """The session descriptions that its re-INVITEs and UPDATEs brought."""
        self.transfers: list[Transfer] = []
        self._servers: OrderedDict[str, InviteServer] = OrderedDict()
        self._planned: list[asyncio.TimerHandle] = []
        self._crossing = False
        self._offering = False

    # --- finding the transaction ------------------------------------------------------------

    def server_of(self, message: RawMessage) -> InviteServer | None:
        """The INVITE of the gateway that this message belongs to: a resend, a CANCEL, an ACK."""
        known = self._servers.get(message.branch)
        if known is not None:
            return known
        if message.method != "ACK":
            return None
        accepted = [each for each in reversed(self._servers.values()) if 200 <= each.status < 300]
        own = [each for each in accepted if each.request.cseq[0] == message.cseq[0]]
        # One with a wrong number is still meant for the INVITE that waits for it.
        return next((each for each in [*own, *accepted] if each in own or each.waits), None)

    def repeated(self, invite: RawMessage) -> bool:
        """Whether it is an INVITE already known: then its newest answer has gone out again."""
        server = self._servers.get(invite.branch)
        if server is None:
            return False
        if server.request.data != invite.data:
            text = "INVITE sent again, but not the same"
            self.findings.add(Violation("retransmission-differs", "RFC 3261 17.1.1.2", text))
        server.repeated()
        return True

    def _serve(self, invite: RawMessage, socket: UdpSocket, source: Address) -> InviteServer:
        def send(data: bytes) -> None:
            socket.send(data, source)

        server = InviteServer(invite, send, self._no_ack)
        self._servers[invite.branch] = server
        while len(self._servers) > SERVERS_MAX:
            self._servers.popitem(last=False)[1].stop()
        return server

    def _no_ack(self, server: InviteServer) -> None:
        """RFC 3261 13.3.1.4, 17.2.1: nobody acknowledged the final answer within 32 s."""
        section = "13.2.2.4" if server.status < 300 else "17.1.1.3"
        text = f"no ACK of {server.status} to INVITE within 32 s"
        self.findings.add(Violation("ack-missing", f"RFC 3261 {section}", text))
        if self.is_up and server.status < 300:
            self._send_bye()
        self._watch.changed()

    def on_ack(self, ack: RawMessage) -> None:
        """An ACK: is it the right one for its INVITE?"""
        server = self.server_of(ack)
        if server is None or not server.is_final:
            return
        self.findings.add(*judge_ack(server.request, ack, server.status))
        if server.status < 300:
            first = server.acks == 0 or ack.branch not in self._dialog.facts.branches
            if first:
                self.findings.add(*judge_in_dialog(ack, self._dialog.facts))
        server.acknowledged()
        self._acknowledged_by(server, ack)
        self._watch.changed()

    def _acknowledged_by(self, server: InviteServer, ack: RawMessage) -> None:
        if not server.request.body and server.status < 300 and server.acks == 1:
            self._late_answer(ack)

    def _late_answer(self, ack: RawMessage) -> None:
        """RFC 3261 13.2.2.4: our 2xx brought the offer, the ACK brings the answer."""
        if ack.body:
            self._answer_came(self._own_sdp, ack.body)
        else:
            text = "our 2xx brought an offer, its ACK brings no answer"
            self.findings.add(Violation("sdp-missing", "RFC 3261 13.2.2.4", text))

    # --- new requests -----------------------------------------------------------------------

    def on_request(self, request: RawMessage, socket: UdpSocket, source: Address) -> Reply | None:
        """Judge a new request of this dialog; None where nothing is to be answered now."""
        if request.method == "ACK":
            self.on_ack(request)
            return None
        grown = request.cseq[0] > self._dialog.facts.remote_cseq
        self.findings.add(*judge_in_dialog(request, self._dialog.facts))
        if not grown:
            return reply(500)  # RFC 3261 12.2.2
        if request.method == "BYE":
            return self._on_bye()
        if self.is_over:
            self._judge.after_end(request.method)
            return NO_SUCH_CALL
        if request.method == "INVITE":
            self._on_reinvite(request, socket, source)
            return None
        if request.method in REFRESHERS:
            self.findings.add(*contact_rules(request))
        answers = {
            "UPDATE": self._on_update,
            "REFER": self._on_refer,
            "NOTIFY": self._on_notify,
            "INFO": self._on_info,
        }
        if request.method in answers:
            return answers[request.method](request)
        return reply(200 if request.method in ("OPTIONS", "MESSAGE") else 405)

    def _on_info(self, request: RawMessage) -> Reply:
        kind = (request.get("content-type") or "").split(";")[0].strip().lower()
        self.infos = [*self.infos, (kind, request.body)][-INFOS_MAX:]
        self._watch.changed()
        return reply(200)

    def _on_bye(self) -> Reply:
        """The gateway hangs up; see what each kind of call makes of it."""
        if self._crossing and not self.is_over:
            # Our own BYE leaves before any answer to theirs: the two cross on the wire.
            self._end("gateway")
            self._bye = self._request("BYE")
        return reply(200)

    def _on_reinvite(self, request: RawMessage, socket: UdpSocket, source: Address) -> None:
        server = self._serve(request, socket, source)
        self.findings.add(*contact_rules(request), *judge_timer_request(request))
        answer = self._reoffered(request)
        self._dialog.refresh_target(request)
        data = self._dialog.response(request, source, answer)
        server.respond(answer.status, data)
        if answer.status < 300 and request.body:
            self._agree(request.body, answer.body)

    def _on_update(self, request: RawMessage) -> Reply:
        """RFC 3311: as a re-INVITE, answered at once."""
        self.findings.add(*judge_timer_request(request))
        if not request.body:
            self._dialog.refresh_target(request)
            self.refreshed_at = [*self.refreshed_at, self._loop.time()][-INFOS_MAX:]
            return reply(200)
        answer = self._reoffered(request)
        if answer.status < 300:
            self._dialog.refresh_target(request)
            self._agree(request.body, answer.body)
        return answer

    def _reoffered(self, request: RawMessage) -> Reply:
        if self.refuse_reinvite is not None:
            return reply(self.refuse_reinvite)
        if self._offering:
            return reply(491)  # RFC 3261 14.2: our own offer is still unanswered
        self.refreshed_at = [*self.refreshed_at, self._loop.time()][-INFOS_MAX:]
        self.reoffers = [*self.reoffers, request.body][-INFOS_MAX:]
        self._watch.changed()
        body = self._answer_to(request.body) if request.body else self._describe()
        return reply(488) if body is None else reply(200, *self._timer_lines(request), body=body)

    def _timer_lines(self, request: RawMessage) -> tuple[str, ...]:
        """RFC 4028 9: the answer to Session-Expires, if the gate does such things."""
        asked = session_timer(request)
        if asked is None or self._quirks.session_expires_s is None:
            return ()
        refresher = asked.refresher or self._quirks.refresher
        seconds = min(asked.expires_s, self._quirks.session_expires_s)
        self.session_timer = SessionTimer(seconds, refresher)
        lines = (f"Session-Expires: {seconds};refresher={refresher}",)
        return (*lines, "Require: timer") if refresher == "uac" else lines

    # --- transfer ---------------------------------------------------------------------------

    def _on_refer(self, request: RawMessage) -> Reply:
        """RFC 3515 2.4.2: accept, and tell at once and later how it goes."""
        self.findings.add(*judge_refer(request))
        plan = self.transfer_plan
        self.refers = [*self.refers, request.get("refer-to") or ""][-REFERS_MAX:]
        self._watch.changed()
        if plan.status < 300:
            for number, status in enumerate(plan.outcomes):
                last = number == len(plan.outcomes) - 1
                # The answer to the REFER goes first, so even the first one waits a moment.
                after_s = number * plan.every_s + 0.001
                self._plan(after_s, self._notify, status, last, request.cseq[0])
        return reply(plan.status)

    def _notify(self, status: int, last: bool, number: int) -> None:
        state = "terminated;reason=noresource" if last else "active;expires=60"
        lines = (f"Event: refer;id={number}", f"Subscription-State: {state}")
        body = fragment(status, REASONS.get(status, "Other"))
        self._request("NOTIFY", body, "message/sipfrag;version=2.0", lines)

    def _on_notify(self, request: RawMessage) -> Reply:
        """RFC 6665 4.1.3: a NOTIFY without a subscription is answered 481."""
        for transfer in self.transfers:
            if transfer.wants(request):
                transfer.take(request)
                self._watch.changed()
                return reply(200)
        text = f"NOTIFY of {request.get('event')!r}: nobody has subscribed"
        self.findings.add(Violation("notify-unsubscribed", "RFC 6665 4.2.2", text))
        return Reply(481, "Subscription Does Not Exist")

    # --- time -------------------------------------------------------------------------------

    def _plan(self, after_s: float, do: object, *arguments: object) -> None:
        timer = self._loop.call_later(after_s, do, *arguments)  # type: ignore[arg-type]
        self._planned.append(timer)

    def _stop_timers(self) -> None:
        for timer in self._planned:
            timer.cancel()
        self._planned.clear()
        for server in self._servers.values():
            if server.status < 300:
                server.stop()

    def release(self) -> None:
        """The gate forgets this call: no timer of it is left."""
        self._stop_timers()
        for server in self._servers.values():
            server.stop()
