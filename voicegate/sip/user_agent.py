"""The asyncio shell of the endpoint, over UDP.

One rule: after anything, take the events, send what is pending, re-arm the one timer. No task is
started here; all work is done in the callbacks of one socket and one timer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random as random_module
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from voicegate.sip.endpoint import Endpoint
from voicegate.sip.events import (
    AckMissing,
    CallCancelled,
    CallHungUp,
    CallReceived,
    DialogId,
    Event,
    InfoReceived,
    OfferReceived,
)
from voicegate.sip.events import DialogEnd as DialogEnd
from voicegate.sip.incoming import IncomingCall as IncomingCall
from voicegate.sip.incoming import ignore_info, refuse_offer
from voicegate.sip.message import MAX_MESSAGE_BYTES, Address
from voicegate.sip.udp import face_towards, open_udp_socket

SEND_BACKLOG_BYTES = 1 << 20
MAX_WAITING_CALLS = 64
MAX_KNOWN_PEERS = 1024

_ENDS: dict[type, DialogEnd] = {
    CallHungUp: DialogEnd.BYE,
    CallCancelled: DialogEnd.CANCEL,
    AckMissing: DialogEnd.NO_ACK,
}


class UserAgent(asyncio.DatagramProtocol):
    """One SIP socket and the calls that come in by it."""

    def __init__(self, endpoint: Endpoint, bound: Address, retry_after_s: int) -> None:
        self.local = bound
        """Where the socket is bound; 0.0.0.0 if to every address."""
        self.counters = endpoint.counters
        """Those of the endpoint, and waiting_calls_full, udp_errors, dropped_sends."""
        self._endpoint = endpoint
        self._retry_after_s = retry_after_s
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[IncomingCall] = asyncio.Queue(MAX_WAITING_CALLS)
        self._calls: dict[DialogId, IncomingCall] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self._closed = self._loop.create_future()
        self._faces: dict[str, str] = {}

    # For the gateway

    async def next_call(self) -> IncomingCall:
        """The next new INVITE, in the order they came. It may have been cancelled meanwhile."""
        return await self._waiting.get()

    async def settled(self, within_s: float) -> bool:
        """Wait until every BYE and final answer of ours is acknowledged; False if that takes
        longer. Resends go on meanwhile."""
        try:
            async with asyncio.timeout(within_s):
                while self._endpoint.unsettled:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True

    @property
    def waiting_calls(self) -> int:
        """Calls received that nobody has taken by `next_call` yet."""
        return self._waiting.qsize()

    @property
    def dialogs(self) -> int:
        """Dialogs known, those that ended up to 32 s ago too."""
        return self._endpoint.dialogs

    @property
    def transactions(self) -> int:
        return self._endpoint.transactions

    @property
    def unsettled(self) -> int:
        """BYEs of ours without an answer and final answers of ours without an ACK."""
        return self._endpoint.unsettled

    # For an IncomingCall

    def ring(self, dialog: DialogId) -> None:
        self._endpoint.ring(dialog, self._loop.time())
        self._pump()

    def answer(self, dialog: DialogId, sdp: bytes) -> None:
        self._endpoint.answer(dialog, sdp, self._loop.time())
        self._pump()

    def reject(self, dialog: DialogId, status: int, retry_after_s: int | None) -> None:
        self._endpoint.reject(dialog, status, self._loop.time(), retry_after_s)
        self._let_go(dialog)
        self._pump()

    def hang_up(self, dialog: DialogId) -> bool:
        done = self._endpoint.hang_up(dialog, self._loop.time())
        self._let_go(dialog)
        self._pump()
        return done

    def abort(self, dialog: DialogId) -> None:
        self._endpoint.abort(dialog, self._loop.time())
        self._let_go(dialog)
        self._pump()

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # no isinstance: before 3.12 asyncio's own datagram transports are none by their class
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        source = Address(addr[0], addr[1])
        self._endpoint.receive_datagram(data, source, self._loop.time(), self._local_for(source))
        self._pump()

    def error_received(self, _exc: Exception) -> None:
        """ICMP errors and the like (WinError 10054): counted; the transactions resend anyway."""
        self.counters["udp_errors"] += 1

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._closed.set_result(None)

    # The one rule

    def _pump(self) -> None:
        try:
            while (event := self._endpoint.next_event()) is not None:
                self._take(event)
        finally:
            self._send()
            self._arm_timer()
            self._settled.set()

    def _send(self) -> None:
        for data, destination in self._endpoint.datagrams_to_send():
            transport = self._transport
            if transport is None or _backlog_bytes(transport) > SEND_BACKLOG_BYTES:
                self.counters["dropped_sends"] += 1
            else:
                transport.sendto(data, destination)

    def _arm_timer(self) -> None:
        due = self._endpoint.get_timer() if self._transport is not None else None
        if self._timer is not None:
            if self._timer.when() == due and not self._timer.cancelled():
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = self._loop.call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        self._timer = None
        # the loop fires up to one clock step early: without `due` it would spin until then
        self._endpoint.handle_timer(max(self._loop.time(), due))
        self._pump()

    def _take(self, event: Event) -> None:
        if isinstance(event, CallReceived):
            self._take_call(event)
        elif isinstance(event, OfferReceived):
            self._take_offer(event)
        elif isinstance(event, InfoReceived):
            self.counters["infos"] += 1
            if (call := self._calls.get(event.dialog)) is not None:
                call.inform(event.content_type, event.body)
        elif (end := _ENDS.get(type(event))) is not None:
            call = self._let_go(event.dialog)
            if call is not None:
                call.end_by_peer(end)

    def _take_call(self, event: CallReceived) -> None:
        if self._waiting.full():
            self.counters["waiting_calls_full"] += 1
            now = self._loop.time()
            self._endpoint.reject(event.dialog, 503, now, self._retry_after_s)
            return
        call = IncomingCall(event, self, self._loop.time())
        self._calls[event.dialog] = call
        self._waiting.put_nowait(call)

    def _take_offer(self, event: OfferReceived) -> None:
        call = self._calls.get(event.dialog)
        body = None
        try:
            if call is not None:
                body = call.renegotiate(event.body)
        finally:
            # whatever our own code did, the peer gets its answer and the call goes on
            self._endpoint.answer_offer(event.dialog, body, self._loop.time())

    def _let_go(self, dialog: DialogId) -> IncomingCall | None:
        """Forget the call of a dialog that is over or ending, and all it holds on to: the
        endpoint needs 32 s more for the dialog, but none of the call's media."""
        if self._endpoint.is_up(dialog):
            return None
        call = self._calls.pop(dialog, None)
        if call is not None:
            call.renegotiate, call.inform = refuse_offer, ignore_info
        return call

    def _local_for(self, peer: Address) -> Address:
        """Our address as that peer sees it: a connected UDP socket tells, without a packet."""
        if not ipaddress.ip_address(self.local.host).is_unspecified:
            return self.local
        host = self._faces.get(peer.host)
        if host is None:
            host = face_towards(peer, self.local.host)
            if len(self._faces) >= MAX_KNOWN_PEERS:
                del self._faces[next(iter(self._faces))]
            self._faces[peer.host] = host
        return Address(host, self.local.port)

    async def close(self) -> None:
        """For `open_user_agent`: close the socket and wait until it is closed."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
            await self._closed


def _backlog_bytes(transport: asyncio.DatagramTransport) -> int:
    """What asyncio holds back because the socket took no more; 0 where it does not say."""
    size: Callable[[], int] = getattr(transport, "get_write_buffer_size", int)
    return size()


@asynccontextmanager
async def open_user_agent(
    host: str,
    port: int,
    *,
    product: str,
    allow: Callable[[str], bool],
    ready: Callable[[], bool],
    retry_after_s: int = 5,
    random: random_module.Random | None = None,
) -> AsyncIterator[UserAgent]:
    """A user agent on one UDP socket for as long as the block runs.

    `host` is a numeric address; port 0 takes any free one (see `UserAgent.local`). `allow(host)`
    says whose packets are heard, `ready()` whether a new call would be taken; if not, INVITE and
    OPTIONS outside a call get 503 with Retry-After. Let `settled` finish before leaving the block:
    what is unanswered then is resent no more.
    """
    endpoint = Endpoint(
        random=random or random_module.SystemRandom(),
        product=product,
        allow=allow,
        ready=ready,
        retry_after_s=retry_after_s,
    )
    sock = open_udp_socket(host, port)
    bound = Address(*sock.getsockname()[:2])
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(
        lambda: UserAgent(endpoint, bound, retry_after_s), sock=sock
    )
    # asyncio allocates this much for every datagram; no datagram is longer, no INVITE is cut
    transport.max_size = MAX_MESSAGE_BYTES  # type: ignore[attr-defined]
    try:
        yield agent
    finally:
        await agent.close()
