"""The transaction layer: which message belongs to which transaction, and how many there may be."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from voicegate.sip.address import Address, Flow
from voicegate.sip.headers import BRANCH_COOKIE
from voicegate.sip.message import Headers, Received, Request, Response, serialise
from voicegate.sip.timers import Timers
from voicegate.sip.transaction import (
    CLIENT_INVITE,
    CLIENT_NON_INVITE,
    LINGER_S,
    SERVER_INVITE,
    SERVER_NON_INVITE,
    Input,
    OnResult,
    State,
    Transaction,
)

MAX_UDP_REQUEST_BYTES = 1300
"""RFC 3261 18.1.1: a longer request may not fit into one packet and goes by TCP."""

ServerKey = tuple[str, str, int | None, str, int, str]
ClientKey = tuple[str, str]

_UNANSWERED = (State.CALLING, State.TRYING, State.PROCEEDING)


def server_key(request: Request, method: str | None = None) -> ServerKey:
    """RFC 3261 17.2.3, with Call-ID and CSeq besides: some gates use one branch for all."""
    via = request.via
    branch = via.branch
    if not branch.startswith(BRANCH_COOKIE) or branch == BRANCH_COOKIE:
        branch = f"{request.uri} {request.from_.tag} {via}"
    number = request.cseq.number
    return (branch, via.host, via.port, request.call_id, number, method or request.method)


def ack_for(request: Request, response: Response) -> Request:
    """The ACK of a refused INVITE (RFC 3261 17.1.1.3)."""
    headers: Headers = (
        ("Via", request.hops()[0]),
        *(("Route", route) for route in request.header_lines("Route")),
        ("Max-Forwards", "70"),
        ("From", request.header("From") or ""),
        ("To", response.header("To") or ""),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.cseq.number} ACK"),
    )
    return Request("ACK", request.uri, headers)


def sent_by(request: Request, local: Address) -> Request:
    """With the top Via that names this way (RFC 3261 18.1.1: the transport's own business)."""
    via = f"SIP/2.0/{local.transport.upper()} {local};branch={request.via.branch};rport"
    headers = list(request.headers)
    headers[[name for name, _ in headers].index("Via")] = ("Via", via)
    return Request(request.method, request.uri, tuple(headers), request.body)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of ours that is on its way."""

    transaction: Transaction
    request: Request
    flow: Flow
    on_result: OnResult
    otherwise: Flow | None = None
    """The way it takes if this one fails."""


def _got(status: int) -> Input:
    if status < 200:
        return Input.GOT_1XX
    return Input.GOT_2XX if status < 300 else Input.GOT_FAILURE


def _sent(status: int) -> Input:
    if status < 200:
        return Input.SEND_1XX
    return Input.SEND_2XX if status < 300 else Input.SEND_FAILURE


class TransactionLayer:
    """All transactions of one endpoint, their timers, and what is to be sent."""

    def __init__(
        self,
        counters: Counter[str],
        limit: int,
        local_towards: Callable[[Address], Address | None],
    ) -> None:
        self.timers = Timers()
        self.outbox: deque[tuple[bytes, Flow]] = deque()
        self._counters = counters
        self._limit = limit
        self._local_towards = local_towards
        self._server: dict[ServerKey, Transaction] = {}
        self._client: dict[ClientKey, Sent] = {}

    def __len__(self) -> int:
        return len(self._server) + len(self._client)

    @property
    def is_full(self) -> bool:
        """No more transactions for requests of peers; ours (a BYE) always find room."""
        return len(self) >= self._limit

    @property
    def unsettled(self) -> int:
        """Requests of ours without a final answer and refusals of ours without an ACK."""
        ours = sum(item.transaction.state in _UNANSWERED for item in self._client.values())
        refused = sum(
            item.machine is SERVER_INVITE and item.state is State.COMPLETED
            for item in self._server.values()
        )
        return ours + refused

    def send(self, message: Request | Response, flow: Flow) -> None:
        """Send once and remember nothing."""
        if isinstance(message, Request):
            message = sent_by(message, flow.local)
        self.outbox.append((serialise(message), flow))

    def server(self, request: Request, method: str | None = None) -> Transaction | None:
        """The transaction this request belongs to; an ACK or CANCEL asks with method INVITE."""
        return self._server.get(server_key(request, method))

    def serve(self, got: Received, now: float) -> Transaction:
        """Open a server transaction for a request that belongs to none."""
        key = server_key(got.request)
        machine = SERVER_INVITE if got.request.method == "INVITE" else SERVER_NON_INVITE
        transaction = Transaction(
            machine,
            self.timers,
            self._sender(got.reply_flow),
            lambda: self._forget(key),
            resends=not got.source.is_reliable,
        )
        self._server[key] = transaction
        transaction.start(now)
        return transaction

    def _forget(self, key: ServerKey) -> None:
        del self._server[key]

    def _sender(self, flow: Flow) -> Callable[[bytes], None]:
        return lambda data: self.outbox.append((data, flow))

    def respond(self, transaction: Transaction, response: Response, now: float) -> None:
        transaction.feed(_sent(response.status), now, serialise(response))

    def answer(self, got: Received, response: Response, now: float) -> None:
        """Answer a request other than INVITE; remembered for its retransmissions if there is
        room."""
        if self.is_full:
            self._counters["dropped_transactions"] += 1
            self.send(response, got.reply_flow)
        else:
            self.respond(self.serve(got, now), response, now)

    def start(
        self,
        request: Request,
        flow: Flow,
        now: float,
        on_result: OnResult,
        limit_s: float | None = None,
    ) -> Transaction:
        """Open a client transaction: send the request until it is answered.

        An INVITE may ring for ever; one with `limit_s` is given up on after that time.
        """
        peer = flow.peer._replace(transport="tcp")
        is_long = not flow.local.is_reliable and len(serialise(request)) > MAX_UDP_REQUEST_BYTES
        if limit_s is not None:
            self.give_up(request, now + limit_s)
        if is_long and self._local_towards(peer) is not None:
            by_tcp = Flow(flow.local._replace(transport="tcp"), peer)
            # RFC 3261 18.1.1: who has no TCP gets the long request by UDP after all
            return self._start(request, by_tcp, now, on_result, otherwise=flow)
        return self._start(request, flow, now, on_result)

    def cancel(self, invite: Request, cancel: Request, now: float) -> None:
        """RFC 3261 9.1: by the way its INVITE took, which has 32 s more for a final answer."""
        sent = self._client.get((invite.via.branch, invite.method))
        if sent is not None:
            self._start(cancel, sent.flow, now, lambda _response, _now: None)
            self.give_up(invite, now + LINGER_S)

    def give_up(self, request: Request, at: float) -> None:
        """Wait until then for a final answer to a request of ours, and no longer."""

        def on_due(now: float) -> None:
            sent = self._client.get((request.via.branch, request.method))
            if sent is not None and sent.transaction.state in _UNANSWERED:
                sent.transaction.feed(Input.GIVE_UP_DUE, now)

        self.timers.at(at, on_due)

    def _start(
        self,
        request: Request,
        flow: Flow,
        now: float,
        on_result: OnResult,
        otherwise: Flow | None = None,
    ) -> Transaction:
        request = sent_by(request, flow.local)
        key = (request.via.branch, request.method)
        transaction = Transaction(
            CLIENT_INVITE if request.method == "INVITE" else CLIENT_NON_INVITE,
            self.timers,
            self._sender(flow),
            lambda: self._forget_ours(key),
            on_result,
            resends=not flow.local.is_reliable,
        )
        self._client[key] = Sent(transaction, request, flow, on_result, otherwise)
        transaction.start(now, serialise(request))
        return transaction

    def lose(self, peer: Address, now: float) -> None:
        """The connection to that peer failed: what is unanswered on it will stay so."""
        for key, sent in list(self._client.items()):
            waiting = sent.transaction.state in _UNANSWERED
            if not waiting or peer not in (sent.flow.peer, sent.flow.fallback):
                continue
            sent.transaction.stop()
            self._forget_ours(key)
            otherwise = sent.otherwise
            if sent.flow.fallback not in (None, peer):
                # written into a connection whose end was on its way: by a new one
                otherwise = sent.flow._replace(peer=sent.flow.fallback, fallback=None)
            if otherwise is not None:
                self._start(sent.request, otherwise, now, sent.on_result)
            else:
                # RFC 3261 8.1.3.1: as if no answer had come in time
                sent.on_result(None, now)

    def _forget_ours(self, key: ClientKey) -> None:
        del self._client[key]

    def asked(self, response: Response, source: Address) -> bool:
        """Whether that host was sent the request which this answers."""
        found = self._client.get((response.via.branch, response.cseq.method))
        return found is not None and found.flow.peer.host == source.host

    def receive_response(self, response: Response, now: float) -> bool:
        """Give a response to its transaction; False where there is none (RFC 3261 17.1.3)."""
        found = self._client.get((response.via.branch, response.cseq.method))
        if found is None:
            return False
        transaction, request = found.transaction, found.request
        happened = _got(response.status)
        if happened is Input.GOT_FAILURE and request.method == "INVITE":
            transaction.ack = serialise(ack_for(request, response))
        transaction.feed(happened, now, response=response)
        return True
