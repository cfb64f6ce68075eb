"""What happens to a datagram that reaches the gate's SIP socket: judged, matched, answered."""

import asyncio
from collections import OrderedDict, deque

from .called import AnsweredCall
from .dialog import CallState, GateDialog
from .judge import Findings, Violation, judge_message
from .judge_call import CallJudge
from .judge_request import belongs, judge_stray
from .mid_call import MidCall
from .profile import Profile
from .registrar import Registrar
from .response import NO_SUCH_CALL, Reply, make_response, reply
from .sip_socket import UdpSocket
from .transaction import TIMEOUT_S, ClientTransaction
from .wire import Address, RawMessage, UnreadableError, read

TRANSACTIONS_MAX = 8192
ANSWERS_MAX = 2048
PAST_MAX = 2048
PAST_S = 64.0
"""A dialog that is over is known so long: the resends of both sides end 32 s after it."""


class Reception:
    """The gate's ear for SIP: knows transactions, calls that are up, and dialogs that were."""

    def __init__(self, profile: Profile, findings: Findings, advice: Findings) -> None:
        self.calls: OrderedDict[str, MidCall] = OrderedDict()
        self.last_heard = "nothing ever"
        self.last_heard_at: float | None = None
        self.keepalives = 0
        self.awaited: list[AnsweredCall] = []
        """Calls of the gateway that somebody waits for, in order."""
        self.registrar: Registrar | None = None
        self.unexpected_status = 480
        """The answer to a call that nobody waits for."""
        self._profile = profile
        self._findings = findings
        self._advice = advice
        self._loop = asyncio.get_running_loop()
        self._sent: OrderedDict[tuple[str, str], tuple[ClientTransaction, Findings]] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str], tuple[float, RawMessage, bytes]] = OrderedDict()
        self._past: OrderedDict[str, tuple[GateDialog, Findings]] = OrderedDict()
        self._past_since: deque[float] = deque()

    def track(self, transaction: ClientTransaction, findings: Findings) -> None:
        """Responses to this transaction will find it, and its judge those findings."""
        self._sent[transaction.key] = transaction, findings
        while len(self._sent) > TRANSACTIONS_MAX:
            self._sent.popitem(last=False)

    def forget(self, call: MidCall) -> None:
        """The call is over and its late packets had their time: keep only what it was."""
        call.release()
        self.calls.pop(call.dialog.call_id, None)
        now = self._loop.time()
        self._past[call.dialog.call_id] = call.dialog, call.findings
        self._past_since.append(now)
        while len(self._past) > PAST_MAX or self._past_since[0] < now - PAST_S:
            self._past.popitem(last=False)
            self._past_since.popleft()
        kept = [key for key, (_, findings) in self._sent.items() if findings is call.findings]
        for key in kept:
            # An INVITE is kept by nobody: its 2xx has been acknowledged, or never will be.
            self._sent.pop(key)[0].stop()

    def stop(self) -> None:
        """Send nothing more."""
        for transaction, _ in self._sent.values():
            transaction.stop()

    def said_last(self) -> str:
        """What the gateway said last, and when."""
        if self.last_heard_at is None:
            return self.last_heard
        return f"{self.last_heard} {self._loop.time() - self.last_heard_at:.2f} s ago"

    def receive(self, socket: UdpSocket, data: bytes, source: Address) -> None:
        """Judge the datagram, then do what it asks."""
        if not data.strip(b"\r\n\0"):
            self.keepalives += 1
            return
        try:
            message = read(data)
        except UnreadableError as error:
            self._findings.add(Violation("unreadable", "RFC 3261 7", str(error)))
            return
        self.last_heard, self.last_heard_at = message.summary, self._loop.time()
        if message.is_response:
            self._response(socket, message, source)
        else:
            self._request(socket, message, source)

    def _response(self, socket: UdpSocket, message: RawMessage, source: Address) -> None:
        found = self._sent.get((message.branch, message.cseq[1]))
        if found is None:
            self._stray_response(message)
            return
        transaction, findings = found
        call = self.calls.get(message.call_id)
        if call is not None and call.state is CallState.VANISHED:
            return
        findings.add(*transaction.judge(message, source, socket.address))
        self._advice.add(*transaction.advice(message))
        transaction.receive(message)

    def _stray_response(self, message: RawMessage) -> None:
        call = self.calls.get(message.call_id)
        past = self._past.get(message.call_id)
        findings = call.findings if call else past[1] if past else self._findings
        broken = judge_message(message)
        findings.add(*broken)
        # Without Via or CSeq nobody can match it: that was named above.
        if not any(violation.rule == "mandatory-header" for violation in broken) and past is None:
            text = f"{message.summary} with branch {message.branch!r} answers nothing we sent"
            findings.add(Violation("stray-response", "RFC 3261 17.1.3", text))

    def _request(self, socket: UdpSocket, message: RawMessage, source: Address) -> None:
        call = self.calls.get(message.call_id)
        if call is not None and call.state is CallState.VANISHED:
            return
        if self._is_repeated(socket, message, call, source):
            return
        past = self._past.get(message.call_id)
        findings = call.findings if call else past[1] if past else self._findings
        findings.add(*judge_message(message))
        answer = self._decide(socket, message, call, findings, source)
        if answer is None:
            return
        caller = call.dialog.caller if call else "gate"
        tag = call.dialog.local_tag if isinstance(call, AnsweredCall) else ""
        data = make_response(
            self._profile,
            message,
            source,
            answer,
            local=socket.address,
            caller=caller,
            to_tag=tag or "gate",
        )
        self._answers[message.branch, message.method] = self._loop.time(), message, data
        while len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)
        socket.send(data, source)

    def _is_repeated(
        self, socket: UdpSocket, message: RawMessage, call: MidCall | None, source: Address
    ) -> bool:
        """A request that comes again is answered as before, and judged no more."""
        if message.method == "ACK":
            return False
        if call is not None and message.method == "INVITE" and call.repeated(message):
            return True
        return self._answered_before(socket, message, source)

    def _answered_before(self, socket: UdpSocket, message: RawMessage, source: Address) -> bool:
        """RFC 3261 17.2.2: a request that comes again gets the same answer again."""
        known = self._answers.get((message.branch, message.method))
        if known is None or self._loop.time() - known[0] > TIMEOUT_S:
            return False
        _, first, answer = known
        if first.cseq != message.cseq or first.call_id != message.call_id:
            return False  # a reused branch, judged as a new request
        if first.data != message.data:
            text = f"{message.method} sent again, but not the same"
            self._findings.add(Violation("retransmission-differs", "RFC 3261 17.1.2.2", text))
        socket.send(answer, source)
        return True

    def _decide(
        self,
        socket: UdpSocket,
        message: RawMessage,
        call: MidCall | None,
        findings: Findings,
        source: Address,
    ) -> Reply | None:
        if isinstance(call, AnsweredCall):
            if message.method == "CANCEL":
                return call.on_cancel(message)
            if message.method == "INVITE" and call.wants_again(message):
                call.on_invite(message, socket, source)
                return None
        if call is not None and belongs(message, call.dialog.facts):
            return call.on_request(message, socket, source)
        past = self._past.get(message.call_id)
        if message.tag("to") is None and call is None and past is None:
            return self._outside(socket, message, source)
        return self._stray(message, call, findings)

    def _stray(self, message: RawMessage, call: MidCall | None, findings: Findings) -> Reply | None:
        """A request of no dialog that is up: of one that was, or by the wrong tags."""
        past = self._past.get(message.call_id)
        facts = call.dialog.facts if call else past[0].facts if past else None
        if message.method == "ACK":
            return None
        if past is not None and call is None and belongs(message, past[0].facts):
            if past[0].facts.untold:
                return reply(200)
            CallJudge(findings, exact=True).after_end(message.method)
        else:
            findings.add(judge_stray(message, facts))
        return NO_SUCH_CALL

    def _outside(self, socket: UdpSocket, message: RawMessage, source: Address) -> Reply | None:
        """A request of no dialog: a call that is awaited or not, a registration, a question."""
        if message.method == "OPTIONS":
            return reply(200)
        if message.method == "ACK":
            return None
        if message.method == "INVITE":
            call = next((each for each in self.awaited if each.wants(message)), None)
            if call is None:
                return reply(self.unexpected_status)
            self.awaited.remove(call)
            call.on_invite(message, socket, source)
            return None
        if message.method == "REGISTER" and self.registrar is not None:
            return self.registrar.on_register(message, source)
        if message.method in ("BYE", "CANCEL"):
            self._findings.add(judge_stray(message, None))
            return NO_SUCH_CALL
        return reply(405)
