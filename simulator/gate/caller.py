"""SimulatedCall: one caller behind the gate, with all that callers do, well or badly."""

import random
from typing import Self

from .dialog import CallerDialog, CallState
from .digest import Credentials, Responder, best_challenge
from .judge import Findings
from .judge_digest import judge_challenge
from .leg import Line, ignore
from .mid_call import MidCall
from .party import CallRefused, NoAnswer
from .profile import Profile
from .response import NO_SUCH_CALL, Reply, reply
from .sdp import read_sdp, settle
from .session_timer import judge_timer_answer, session_timer
from .transaction import TIMEOUT_S, ClientTransaction
from .wire import RawMessage

__all__ = ["SimulatedCall", "CallRefused", "NoAnswer"]

CHALLENGES_MAX = 2
"""One for the password, one more when only the nonce was stale."""


class SimulatedCall(MidCall):
    """One call of the gate to the gateway. Verbs act at once; those that wait are coroutines."""

    def __init__(
        self,
        line: Line,
        profile: Profile,
        source: random.Random,
        findings: Findings,
        *,
        dialog: CallerDialog,
        identity: int,
        number: str,
        credentials: Credentials | None = None,
    ) -> None:
        super().__init__(
            line, profile, source, findings, dialog=dialog, identity=identity, number=number
        )
        self._caller_dialog = dialog
        self._responder = Responder(credentials, source) if credentials is not None else None
        self._challenges = 0
        self._credentials: tuple[str, ...] = ()
        self._offer = b""
        self._ack = b""
        self._invite: ClientTransaction | None = None
        self._cancel: ClientTransaction | None = None
        self._cancelled = False

    def __repr__(self) -> str:
        by = f" by {self.ended_by}" if self.ended_by else ""
        return f"<call {self.identity} to {self.number}: {self.state.value}{by}>"

    @property
    def dialog(self) -> CallerDialog:
        """Call-ID, tags, numbers and routes."""
        return self._caller_dialog

    @property
    def setup_s(self) -> float | None:
        """From INVITE to 200."""
        if self.answered_at is None or self.invited_at is None:
            return None
        return self.answered_at - self.invited_at

    @property
    def answers_at(self) -> list[float]:
        """When a final answer to the INVITE came, retransmissions included."""
        return self._invite.finals_at if self._invite is not None else []

    @property
    def is_settled(self) -> bool:
        """Over, and with nothing of its own left to be answered."""
        if self._cancel is not None and self._cancel.timed_out:
            return True
        return super().is_settled

    # --- verbs before the answer ------------------------------------------------------------

    def invite(self) -> None:
        """Send the INVITE; what comes back moves the state."""
        self._offer = b"" if self._quirks.offerless else self._describe()
        self.invited_at = self._loop.time()
        self._send_invite()
        for _ in range(self._quirks.retransmit_invite):
            self.retransmit_invite()

    def abandon(self) -> None:
        """Nobody waits for this call any more: end it in the way its state allows, at once."""
        if self.state in (CallState.CALLING, CallState.RINGING) and self._provisional:
            self._send_cancel()
        elif self.is_up:
            self._send_bye()
        elif self._invite is not None:
            self._invite.stop()
            self._dialog.facts.untold = not self.is_over
            self._end("caller")

    async def ringing(self, within_s: float = TIMEOUT_S) -> Self:
        """Wait for 180 or 183 (or anything final)."""
        await self._due(lambda: self.state is not CallState.CALLING, within_s, "not ringing")
        return self

    async def answered(self, within_s: float = 60.0) -> Self:
        """Wait for the answer; raises CallRefused or NoAnswer."""
        done = await self._watch.until(self._answer_known, within_s)
        if self.final_status is not None and self.final_status >= 300:
            reason = self._invite.final.reason if self._invite and self._invite.final else ""
            raise CallRefused(self.final_status, reason, self.retry_after_s)
        if not done or self._invite is None or self._invite.timed_out:
            raise NoAnswer(self._unanswered("INVITE", self._invite))
        return self

    async def cancel(self, within_s: float = TIMEOUT_S + 1) -> int | None:
        """Give up while it rings; gives the final status of the INVITE (487, or 200 if crossed)."""
        # RFC 3261 9.1: no CANCEL before a provisional response.
        await self._watch.until(lambda: self.is_over or self.is_up or self._provisional, within_s)
        if self._invite is None or self.is_over or self.is_up:
            return self.final_status
        self._send_cancel()
        await self._watch.until(self._cancel_done, within_s)
        if self._cancel is not None and self._cancel.final is None:
            raise NoAnswer(self._unanswered("CANCEL", self._cancel))
        await self._watch.until(lambda: self._bye is None or self._bye_done(), within_s)
        if self._invite.final is None:
            raise NoAnswer(self._unanswered("INVITE after a CANCEL", self._invite))
        return self._invite.status

    async def _give_up(self, within_s: float) -> None:
        await self.cancel(within_s)

    def vanish(self, *, close_port: bool = False) -> None:
        """Be gone: answer nothing, send nothing; with `close_port` RTP to us finds ICMP."""
        super().vanish(close_port=close_port)
        for transaction in (self._invite, self._cancel):
            if transaction is not None:
                transaction.stop()

    def retransmit_invite(self) -> None:
        """Send the very INVITE of this call again."""
        if self._invite is not None:
            self._invite.send_again()

    # --- what comes back --------------------------------------------------------------------

    @property
    def _provisional(self) -> bool:
        return self._invite is not None and self._invite.provisional is not None

    def _answer_known(self) -> bool:
        timed_out = self._invite is not None and self._invite.timed_out
        return self.final_status is not None or self.is_over or timed_out

    def _cancel_done(self) -> bool:
        over = self._invite is not None and self._invite.final is not None
        return self._cancel is None or (self._cancel.done and (over or self._cancel.timed_out))

    def _send_invite(self, *headers: str) -> None:
        if self._quirks.session_expires_s is not None:
            seconds, refresher = self._quirks.session_expires_s, self._quirks.refresher
            headers = (*headers, f"Session-Expires: {seconds};refresher={refresher}")
        data = self._caller_dialog.invite(self._offer, headers)
        self._invite = self._start(data, self._on_invite_response)

    def _send_cancel(self) -> None:
        if self._invite is not None and not self._cancelled:
            self._cancelled = True
            data = self._caller_dialog.cancel(self._invite.request)
            self._cancel = self._start(data, ignore)

    def _on_invite_response(self, invite: ClientTransaction, response: RawMessage) -> None:
        if invite.responses == 1:
            self._judge.first_response(self._loop.time() - invite.sent_at)
        if response.status < 200:
            if response.status > 100 and self.state is CallState.CALLING:
                self.state = CallState.RINGING
            if response.body and self._offer:
                self._early_media(response)
        elif response.status < 300:
            self._on_accepted(response)
        else:
            self._on_refused(invite, response)

    def _early_media(self, response: RawMessage) -> None:
        """RFC 3261 13.2.1: an answer may come early, and RTP with it."""
        asked, given = read_sdp(self._offer), read_sdp(response.body)
        agreed = settle(asked, given, given.audio.codecs if given.audio else {})
        if agreed is not None and not self.is_over:
            self.media.expect(agreed)

    def _on_accepted(self, response: RawMessage) -> None:
        if self._dialog.facts.remote_tag:
            self._judge.answer_again(self.acked_at, self._loop.time())
        else:
            self._caller_dialog.learn(response)
            if not self.is_over:
                self._answer_arrived(response)
        if self._quirks.never_ack:
            return
        self._ack = self._ack or self._first_ack(response)
        # RFC 3261 13.2.2.4: each 2xx that comes is acknowledged, the same way.
        self._send(self._ack)
        if self.acked_at is None:
            self.acked_at = self._loop.time()
            self._acknowledged()

    def _first_ack(self, response: RawMessage) -> bytes:
        if self._offer or not response.body:
            return self._dialog.ack(response, credentials=self._credentials)
        # RFC 3261 13.2.2.4: to an offer in the 2xx the ACK brings the answer.
        body = self._answer_to(response.body) or b""
        self._agree(response.body, body)
        return self._dialog.ack(response, body, self._credentials)

    def _answer_arrived(self, response: RawMessage) -> None:
        self.answered_at = self._loop.time()
        self.final_status = response.status
        self.state = CallState.UP
        if self._invite is not None:
            self.findings.add(*judge_timer_answer(self._invite.request, response))
        self.session_timer = session_timer(response)
        if response.body and self._offer:
            self._answer_came(self._offer, response.body)

    def _acknowledged(self) -> None:
        if self._cancelled or self.is_over:
            self._send_bye()  # RFC 3261 15: the 200 crossed our giving up, so the call is up
            return
        self.media.start()
        if self._quirks.reinvite_after_ack:
            self._send_reinvite(self._own_sdp)

    def _on_refused(self, invite: ClientTransaction, response: RawMessage) -> None:
        if not self._quirks.never_ack:
            self._send(self._dialog.ack_refusal(invite.request, response))
        if self.is_over or len(invite.finals_at) > 1 or self._answer_challenge(invite, response):
            return
        self.final_status = response.status
        digits = (response.get("retry-after") or "").split(" ")[0].split(";")[0]
        self.retry_after_s = int(digits) if digits.isdecimal() else None
        # RFC 3261 9.2: before the CANCEL is answered, it may not even have come.
        if self._cancel is not None and self._cancel.final is not None:
            self._judge.refused_after_cancel(response.status)
        self._end("caller" if self._cancelled else "gateway")

    def _answer_challenge(self, invite: ClientTransaction, response: RawMessage) -> bool:
        """RFC 3261 22.2: the INVITE goes again, with credentials; whether it does."""
        if response.status not in (401, 407):
            return False
        self.findings.add(*judge_challenge(response))
        name = ("WWW-Authenticate", "Authorization")
        if response.status == 407:
            name = ("Proxy-Authenticate", "Proxy-Authorization")
        challenge = best_challenge(response.all(name[0]))
        if self._responder is None or challenge is None or self._cancelled:
            return False
        if self._challenges >= CHALLENGES_MAX or (self._challenges and not challenge.stale):
            return False
        self._challenges += 1
        value = self._responder.answer(challenge, "INVITE", invite.request.request_uri)
        self._credentials = (f"{name[1]}: {value}",)
        self._send_invite(*self._credentials)
        return True

    def _on_bye(self) -> Reply:
        if self.state is CallState.ENDED:
            crossed = self._bye is not None and self._bye.final is None
            if crossed or self._dialog.facts.untold:
                return reply(200)  # both hung up at once, or we gave up without a word: fine
            self._judge.after_end("BYE")
            return NO_SUCH_CALL
        self._judge.bye(self.acked_at, self.answers_at, self._loop.time())
        answer = super()._on_bye()
        self._end("gateway")
        return answer
