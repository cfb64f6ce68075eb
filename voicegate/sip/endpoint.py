"""The SIP core without a socket and without a clock (the shape of aioquic).

After any call below: send what `datagrams_to_send()` gives, take every `next_event()`, and call
`handle_timer(now)` when `get_timer()` is due. Nothing a peer sends makes any of these raise.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from voicegate.sip.access import Access
from voicegate.sip.address import Address, Flow
from voicegate.sip.checks import refusal_of
from voicegate.sip.core import UaCore
from voicegate.sip.digest import Guard
from voicegate.sip.events import CallReceived, DialogId, Event
from voicegate.sip.incall import DialogUsage
from voicegate.sip.layer import TransactionLayer
from voicegate.sip.message import MAX_MESSAGE_BYTES, Received, Response, SipParseError, parse
from voicegate.sip.outbound import InvitePlan, OutboundUsage
from voicegate.sip.registrar import Registrar
from voicegate.sip.registration import Account, Registration, Tell
from voicegate.sip.reply import capabilities
from voicegate.sip.transaction import Input, State
from voicegate.sip.usage import InviteUsage

MAX_DIALOGS = 4096
MAX_TRANSACTIONS = 16_384

_REFUSED = (State.COMPLETED, State.CONFIRMED)


class Endpoint:
    """One user agent: all its dialogs and transactions.

    counters: datagrams_in, datagrams_out, keepalives, oversized, malformed, refused_sources,
    unanswered_strangers, refused_busy, refused_requests, stray_requests, stray_responses,
    stray_acks, dropped_transactions, dropped_dialogs, dropped_bindings, acks_missing,
    reinvite_acks_missing, glares, refreshes, calls_lost, forks, failed_registrations."""

    def __init__(
        self,
        *,
        random: random.Random,
        product: str,
        allow: Callable[[str], bool],
        ready: Callable[[], bool],
        local_towards: Callable[[Address], Address | None],
        guard: Guard | None = None,
        retry_after_s: int = 5,
        session_expires_s: int = 1800,
        counters: Counter[str] | None = None,
        max_dialogs: int = MAX_DIALOGS,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        """`allow(host)` says who may call, `guard` knows who else may by a password, `ready()` says
        whether new calls are taken, `local_towards(peer)` which address of ours a peer sees."""
        self.counters: Counter[str] = Counter() if counters is None else counters
        self._layer = TransactionLayer(self.counters, max_transactions, local_towards)
        self._core = UaCore(
            self._layer, random, product, allow, local_towards, self.counters, session_expires_s
        )
        self.new_call_id = self._core.new_call_id
        self._access = Access(self._core, allow, guard, self.counters)
        self.registrar = Registrar(self._core)
        self.registrations: list[Registration] = []
        self._ready = ready
        self._busy = (("Retry-After", str(retry_after_s)),)
        self._max_dialogs = max_dialogs
        self._usages: dict[tuple[str, str], DialogUsage] = {}
        self._invites: dict[tuple[str, str, int], DialogId] = {}

    def receive_datagram(self, data: bytes, source: Address, now: float, local: Address) -> None:
        """Take one message, out of a stream too. `local` is our address as that peer sees it."""
        self.counters["datagrams_in"] += 1
        if len(data) > MAX_MESSAGE_BYTES:
            self.counters["oversized"] += 1
        elif not data.strip(b"\r\n\0 "):
            self.counters["keepalives"] += 1
        else:
            self._receive(data, source, now, local)

    def lose(self, peer: Address, now: float) -> None:
        """The connection to that peer is gone."""
        self._layer.lose(peer, now)
        for registration in self.registrations:
            registration.lose(peer, now)

    def register(self, account: Account, tell: Tell, now: float) -> None:
        """Register there, and stay so until told to stop."""
        self.registrations.append(Registration(self._core, account, tell))
        self.registrations[-1].start(now)

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        """What is to go out now, in order; each is given once."""
        datagrams = list(self._layer.outbox)
        self._layer.outbox.clear()
        self.counters["datagrams_out"] += len(datagrams)
        return datagrams

    def get_timer(self) -> float | None:
        """When `handle_timer` is due; None while nothing waits."""
        return self._layer.timers.next_due()

    def handle_timer(self, now: float) -> None:
        self._layer.timers.fire(now)

    def next_event(self) -> Event | None:
        events = self._core.events
        return events.popleft() if events else None

    # Commands of a dialog. Too late, or of a dialog long gone: they do nothing.

    def ring(self, dialog: DialogId, now: float) -> None:
        """180."""
        if isinstance(usage := self.usage(dialog), InviteUsage):
            usage.ring(now)

    def answer(self, dialog: DialogId, sdp: bytes, now: float) -> None:
        """200 with this SDP, resent until its ACK."""
        if isinstance(usage := self.usage(dialog), InviteUsage):
            usage.answer(sdp, now)

    def reject(
        self, dialog: DialogId, status: int, now: float, retry_after_s: int | None = None
    ) -> None:
        """A final refusal, 300 to 699; ValueError for any other status."""
        if not 300 <= status < 700:
            raise ValueError(f"{status} is no refusal")
        if isinstance(usage := self.usage(dialog), InviteUsage):
            usage.reject(status, now, retry_after_s)

    def hang_up(self, dialog: DialogId, now: float) -> bool:
        """BYE if the call is up, held back until its ACK; False if there is nothing to end."""
        usage = self.usage(dialog)
        return usage is not None and usage.hang_up(now)

    def abort(self, dialog: DialogId, now: float) -> None:
        """500 before the final answer, BYE after it."""
        if usage := self.usage(dialog):
            usage.abort(now)

    def answer_offer(self, dialog: DialogId, body: bytes | None, now: float) -> None:
        """Answer a re-INVITE or UPDATE: 200 with this body, or 488."""
        if usage := self.usage(dialog):
            usage.answer_offer(body, now)

    def call(self, plan: InvitePlan, now: float) -> DialogId:
        """Begin a call of ours: INVITE; what comes of it is told by events."""
        usage = OutboundUsage(self._core, plan, now, self._release)
        self._usages[usage.name[:2]] = usage
        return usage.name

    def usage(self, dialog: DialogId) -> DialogUsage | None:
        """The call of that name, for what it can be told besides; None when it is forgotten."""
        return self._usages.get(dialog[:2])

    def is_up(self, dialog: DialogId) -> bool:
        """Neither ended nor about to: its user may still be told of something."""
        usage = self.usage(dialog)
        return usage is not None and usage.is_up

    def needs(self, peer: Address) -> bool:
        """Whether the connection to that peer carries a call or is the way to one."""
        calls = self._usages.values()
        ways = [one.dialog.signalling for one in calls if one.is_up and one.is_named]
        ways += [one.account.flow.peer for one in self.registrations]
        return peer in ways or self.registrar.needs(peer)

    @property
    def dialogs(self) -> int:
        """Dialogs known, those that ended up to 32 s ago too."""
        return len(self._usages)

    @property
    def transactions(self) -> int:
        return len(self._layer)

    @property
    def unsettled(self) -> int:
        """BYEs of ours without an answer and final answers of ours without an ACK."""
        waiting = sum(usage.is_unsettled for usage in self._usages.values())
        return waiting + self._layer.unsettled

    # Receiving

    def _receive(self, data: bytes, source: Address, now: float, local: Address) -> None:
        try:
            message = parse(data)
        except SipParseError as error:
            self.counters["malformed"] += 1
            if error.answerable is not None and self._access.allow(source.host):
                got = Received(error.answerable, source, local)
                self._core.answer_stateless(got, error.status, reason=error.flaw)
            return
        if isinstance(message, Response):
            if not (self._access.allow(source.host) or self._layer.asked(message, source)):
                self.counters["refused_sources"] += 1
            elif not self._layer.receive_response(message, now):
                self.counters["stray_responses"] += 1
            return
        got = Received(message, source, local)
        if message.method == "REGISTER" and self._access.guard is not None:
            self._receive_register(got, now)
        elif self._is_of_call(got) or self._access.may_ask(got, now):
            self._receive_request(got, now)

    def _is_of_call(self, got: Received) -> bool:
        """Whether it comes from the host of a call that it names: by tags, or by transaction."""
        name = self._invites.get(_invite_key(got))
        usage = self._named_by(got) or (name and self.usage(name))
        if not (usage and usage.is_named and usage.dialog.signalling.host == got.source.host):
            return False
        method = "INVITE" if got.request.method in ("ACK", "CANCEL") else None
        return bool(got.request.to.tag or self._layer.server(got.request, method))

    def _receive_register(self, got: Received, now: float) -> None:
        if (transaction := self._layer.server(got.request)) is not None:
            transaction.feed(Input.REQUEST, now)
        elif (user := self._access.user_of(got, now)) is not None:
            self.registrar.receive(got, user, now)

    def _receive_ack(self, got: Received, now: float) -> None:
        transaction = self._layer.server(got.request, "INVITE")
        usage = self._named_by(got)
        if transaction is not None and transaction.state in _REFUSED:
            transaction.feed(Input.ACK, now)
        elif usage is not None:
            usage.acknowledge(got.request, now)
        else:
            self.counters["stray_acks"] += 1

    def _receive_request(self, got: Received, now: float) -> None:
        request = got.request
        if request.method == "ACK":
            self._receive_ack(got, now)
        elif (transaction := self._layer.server(request)) is not None:
            transaction.feed(Input.REQUEST, now)
        elif request.method == "CANCEL":
            self._receive_cancel(got, now)
        elif (refusal := refusal_of(request)) is not None:
            self.counters["refused_requests"] += 1
            self._core.answer_stateless(got, refusal.status, refusal.headers)
        elif (usage := self._named_by(got)) is not None:
            usage.receive(got, now)
        elif request.to.tag or request.method not in ("INVITE", "OPTIONS"):
            self.counters["stray_requests"] += 1
            self._core.answer_stateless(got, 481)
        elif request.method == "INVITE" and _invite_key(got) in self._invites:
            # RFC 3261 8.2.2.2: the same request by another way
            self._core.answer_stateless(got, 482)
        elif not self._ready():
            self.counters["refused_busy"] += 1
            self._core.answer_stateless(got, 503, self._busy)
        elif request.method == "OPTIONS":
            self._core.answer_stateless(got, 200, capabilities(got))
        else:
            self._receive_invite(got, now)

    def _receive_invite(self, got: Received, now: float) -> None:
        if len(self._usages) >= self._max_dialogs or self._layer.is_full:
            self.counters["dropped_dialogs"] += 1
            self._core.answer_stateless(got, 503, self._busy)
            return
        transaction = self._layer.serve(got, now)
        # RFC 3261 17.2.1: at once, so that the INVITE is not sent again
        self._layer.respond(transaction, self._core.response(got, 100), now)
        usage = InviteUsage(self._core, got, transaction, self._release)
        self._usages[usage.name[:2]] = usage
        self._invites[_invite_key(got)] = usage.name
        if not usage.refuse_timer(now):
            self._core.events.append(CallReceived(usage.name, got))

    def _receive_cancel(self, got: Received, now: float) -> None:
        transaction = self._layer.server(got.request, "INVITE")
        name = self._invites.get(_invite_key(got))
        usage = self._named_by(got) if name is None else self.usage(name)
        if transaction is None or usage is None:
            self.counters["stray_requests"] += 1
            self._core.answer_stateless(got, 481)
        else:
            usage.cancel(got, transaction, now)

    def _named_by(self, got: Received) -> DialogUsage | None:
        """The call a peer's request names by Call-ID and both tags: its To is our side."""
        request = got.request
        usage = self._usages.get((request.call_id, request.to.tag))
        return usage if usage and usage.is_meant_by(got) else None

    def _release(self, usage: DialogUsage) -> None:
        del self._usages[usage.name[:2]]
        if isinstance(usage, InviteUsage):
            self._invites.pop(_invite_key(usage.invite), None)


def _invite_key(got: Received) -> tuple[str, str, int]:
    request = got.request
    return (request.call_id, request.from_.tag, request.cseq.number)
