"""AnsweredCall: a call of the gateway to the gate, answered as planned and judged strictly."""

import random
from typing import Self

from simulator.audio.sound import Sound, sequence

from .authenticator import Verdict
from .called_dialog import CalledDialog, user_of
from .dialog import CallState
from .judge import Findings, Violation
from .judge_call import CROSSING_S
from .judge_invite import invite_advice, judge_cancel, judge_invite
from .leg import Line
from .mid_call import MidCall
from .party import NoAnswer
from .plan import AnswerPlan
from .profile import Profile
from .response import NO_SUCH_CALL, Reply, reply
from .server import InviteServer
from .session_timer import judge_timer_request
from .signals import ringing_tone
from .sip_socket import UdpSocket
from .transaction import TIMEOUT_S
from .wire import Address, RawMessage


class AnsweredCall(MidCall):
    """Waits for the gateway's INVITE, then lives as a dialled call does."""

    own_side = "called"

    def __init__(
        self,
        line: Line,
        profile: Profile,
        source: random.Random,
        findings: Findings,
        plan: AnswerPlan,
        *,
        identity: int,
    ) -> None:
        dialog = CalledDialog(profile, source, local=line.socket.address, gateway=line.first_hop)
        super().__init__(
            line, profile, source, findings, dialog=dialog, identity=identity, number=""
        )
        self.state = CallState.AWAITED
        self.plan = plan
        self.caller = ""
        """Who called: the user part of From."""
        self.invite: RawMessage | None = None
        """The INVITE that was accepted for an answer."""
        self.cancelled = False
        """Whether the gateway gave up before the answer."""
        self._called_dialog = dialog
        self._invited: InviteServer | None = None
        self._source = line.gateway

    def __repr__(self) -> str:
        by = f" by {self.ended_by}" if self.ended_by else ""
        return f"<call of the gateway to {self.number or '?'}: {self.state.value}{by}>"

    @property
    def dialog(self) -> CalledDialog:
        """Call-ID, tags, numbers and routes."""
        return self._called_dialog

    @property
    def acks(self) -> int:
        """How many ACKs the final answer has had."""
        return self._invited.acks if self._invited is not None else 0

    @property
    def is_settled(self) -> bool:
        """Over, and with nothing left to be answered."""
        refused = self._invited is not None and self._invited.status >= 300
        if refused and self._invited is not None and self._invited.waits:
            return False
        return super().is_settled

    def say(self, sound: Sound) -> None:
        """Speak it from the next frame on; behind the ringing tone where that comes first."""
        rings_s = self._quirks.rings_after_answer_s
        if self.state is CallState.AWAITED and rings_s > 0.0:
            sound = sequence(ringing_tone(rings_s), sound)
        super().say(sound)

    def wants(self, invite: RawMessage) -> bool:
        """Whether this INVITE is the awaited one."""
        called = user_of(invite.request_uri)
        return self.state is CallState.AWAITED and self.plan.number in (None, called)

    # --- waiting ----------------------------------------------------------------------------

    async def invited(self, within_s: float = 60.0) -> Self:
        """Wait for the gateway's INVITE; raises NoAnswer when none comes."""
        if not await self._watch.until(lambda: self.state is not CallState.AWAITED, within_s):
            raise NoAnswer(f"{self!r}: no INVITE within {within_s:.0f} s ({self._heard_last()})")
        return self

    async def answered(self, within_s: float = 60.0) -> Self:
        """Wait until the gateway has called, was answered and has acknowledged it."""
        await self.invited(within_s)
        await self._due(lambda: self.acked_at is not None or self.is_over, within_s, "no ACK")
        if self.acked_at is None:
            raise AssertionError(f"{self!r} was not answered ({self._heard_last()})")
        return self

    def accept(self) -> None:
        """Pick up now, whatever the plan's time is."""
        self._final(200)

    def refuse(self, status: int = 486) -> None:
        """Do not take the call."""
        self._final(status)

    async def _give_up(self, within_s: float) -> None:  # noqa: ARG002 - nothing to wait for
        if self.state is CallState.AWAITED:
            self._end(self.own_side)
        else:
            self._final(603)

    async def hang_up(self, within_s: float = TIMEOUT_S + 1) -> None:
        """Send BYE and wait until it is answered; before the answer decline; harmless twice."""
        # RFC 3261 15: the callee must not send BYE before the ACK came.
        if self.is_up:
            await self._watch.until(lambda: self.acked_at is not None or self.is_over, within_s)
        await super().hang_up(within_s)

    def abandon(self) -> None:
        """Nobody waits for this call any more: end it in the way its state allows, at once."""
        if self.is_up:
            self._send_bye()
        elif self.state is CallState.AWAITED:
            self._end(self.own_side)
        elif not self.is_over:
            self._final(480)

    # --- the INVITE -------------------------------------------------------------------------

    def on_invite(self, invite: RawMessage, socket: UdpSocket, source: Address) -> None:
        """The gateway calls (or calls again, with credentials)."""
        self.findings.add(*judge_invite(invite), *judge_timer_request(invite))
        self._line.advice.add(*invite_advice(invite))
        server = self._invited = self._serve(invite, socket, source)
        self._source = source
        first = self.state is CallState.AWAITED
        if first:
            self.invited_at = self._loop.time()
            self.state = CallState.CALLING
            self.number = user_of(invite.request_uri)
            self.caller = user_of((invite.get("from") or "").partition("<")[2])
        else:
            self._judge_retry(invite)
        self._called_dialog.begin(invite, source)
        self._line.begun(self)
        self._watch.changed()
        if self._is_known(invite, server):
            self.invite = invite
            self._ring(server, invite)

    def wants_again(self, invite: RawMessage) -> bool:
        """Whether it is the INVITE that follows our challenge."""
        waits = self.state is CallState.CALLING and self.invite is None
        return waits and invite.tag("to") is None

    def _judge_retry(self, invite: RawMessage) -> None:
        """RFC 3261 22.2: with credentials the same Call-ID and From, and the next number."""
        facts = self._dialog.facts
        if invite.tag("from") != facts.remote_tag or invite.cseq[0] != facts.remote_cseq + 1:
            text = (
                f"From tag {invite.tag('from')!r}, CSeq {invite.cseq[0]} after "
                f"{facts.remote_tag!r}, {facts.remote_cseq}"
            )
            self.findings.add(Violation("auth-retry", "RFC 3261 22.2/8.1.3.5", text))

    def _is_known(self, invite: RawMessage, server: InviteServer) -> bool:
        asks = self.plan.asks
        if asks is None:
            return True
        now = self._loop.time()
        verdict, _, found = asks.check(invite, now)
        self.findings.add(*found)
        if verdict is Verdict.RIGHT:
            return True
        if verdict is Verdict.WRONG:
            self._respond(server, reply(403))
            self._refused(403)
        else:
            self._respond(server, asks.challenge(now, stale=verdict is Verdict.STALE))
        return False

    def _ring(self, server: InviteServer, invite: RawMessage) -> None:
        plan = self.plan
        self.state = CallState.RINGING
        if plan.trying:
            self._respond(server, reply(100, contact=""))
        if plan.ringing:
            self._respond(server, reply(180))
        if plan.early_media and invite.body:
            self._progress(server, invite)
        if plan.status is None:
            return
        if plan.ring_s > 0.0:
            self._plan(plan.ring_s, self._final, plan.status)
        else:
            self._final(plan.status)

    def _progress(self, server: InviteServer, invite: RawMessage) -> None:
        body = self._answer_to(invite.body, judged=True)
        if body is not None:
            self._respond(server, reply(183, body=body))
            self._agree(invite.body, body, early=True)
            self.media.start()

    def _final(self, status: int) -> None:
        server, invite = self._invited, self.invite
        if server is None or invite is None or server.is_final:
            return
        if status >= 300:
            self._respond(server, reply(status, *self.plan.headers))
            self._refused(status)
            return
        lines = (*self.plan.headers, *self._timer_lines(invite))
        body = self._answer_to(invite.body, judged=True) if invite.body else self._describe()
        if body is None:
            self._respond(server, reply(488))
            self._refused(488)
            return
        self.final_status, self.answered_at = status, self._loop.time()
        self.state = CallState.UP
        self._respond(server, reply(status, *lines, body=body))
        if invite.body:
            self._agree(invite.body, body, early=True)
        self._watch.changed()

    def _refused(self, status: int) -> None:
        self.final_status = status
        self._end("gateway" if self.cancelled else self.own_side)

    def _respond(self, server: InviteServer, answer: Reply) -> None:
        routes = (f"<sip:{self._line.socket.address};lr>",) if self._quirks.record_route else ()
        data = self._called_dialog.answer(server.request, self._source, answer, routes)
        server.respond(answer.status, data)

    # --- what follows it --------------------------------------------------------------------

    def on_cancel(self, cancel: RawMessage) -> Reply:
        """RFC 3261 9.2: 200 to the CANCEL, 487 to the INVITE."""
        server = self.server_of(cancel)
        if server is None:
            text = f"CANCEL with branch {cancel.branch!r}, which no INVITE of this call has"
            self.findings.add(Violation("cancel-branch", "RFC 3261 9.1", text))
            return NO_SUCH_CALL
        provisional = server.provisional_at is not None or server.is_final
        self.findings.add(*judge_cancel(server.request, cancel, provisional=provisional))
        if server.is_final:
            self._judge_late_cancel(server)
        else:
            self.cancelled = True
            self._respond(server, reply(487))
            self._refused(487)
        return reply(200, contact="")

    def _judge_late_cancel(self, server: InviteServer) -> None:
        late_s = self._loop.time() - (server.final_at or 0.0)
        if late_s > CROSSING_S:
            text = f"CANCEL {late_s:.2f} s after {server.status} had been sent"
            self.findings.add(Violation("cancel-late", "RFC 3261 9.1", text))

    def _acknowledged_by(self, server: InviteServer, ack: RawMessage) -> None:
        super()._acknowledged_by(server, ack)
        if server is not self._invited or server.status >= 300 or self.acked_at is not None:
            return
        self.acked_at = self._loop.time()
        if self.is_up:
            invite = server.request
            if invite.body:
                self._agree(invite.body, self._own_sdp)
            self.media.start()
            for number in range(self.plan.repeat_answer):
                self._plan(0.5 * (number + 1), server.send_again)

    def _on_bye(self) -> Reply:
        if self.state is CallState.ENDED:
            if self._bye is not None and self._bye.final is None:
                return reply(200)
            self._judge.after_end("BYE")
            return NO_SUCH_CALL
        server = self._invited
        if server is not None and not server.is_final:
            # RFC 3261 15.1.2: a caller may end an early dialog with BYE, too.
            self._respond(server, reply(487))
            self.final_status = 487
        elif self.acked_at is None:
            text = "BYE, but the 200 was never acknowledged"
            self.findings.add(Violation("ack-missing", "RFC 3261 13.2.2.4", text))
        answer = super()._on_bye()
        self._end("gateway")
        return answer
