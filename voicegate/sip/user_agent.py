"""The asyncio shell of the endpoint.

One rule: after anything, take the events, send what is pending, re-arm the one timer. No task is
started here; all work is done in the callbacks of the sockets and one timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from voicegate.sip.address import Address, Flow
from voicegate.sip.endpoint import Endpoint
from voicegate.sip.events import (
    AckMissing,
    CallCancelled,
    CallHungUp,
    CallLost,
    CallReceived,
    DialogId,
    Event,
    InfoReceived,
    OfferReceived,
)
from voicegate.sip.events import DialogEnd as DialogEnd
from voicegate.sip.incall import DialogUsage
from voicegate.sip.incoming import IncomingCall as IncomingCall
from voicegate.sip.leg import CallLeg
from voicegate.sip.outbound import InvitePlan
from voicegate.sip.outgoing import Destination, OutgoingCall
from voicegate.sip.registrar import Binding
from voicegate.sip.registration import Account, Registration, Tell
from voicegate.sip.sockets import Sockets

T = TypeVar("T")

MAX_WAITING_CALLS = 64

MessageTap = Callable[[bytes, Address, Address], None]
"""Takes a SIP message, its source and its destination; it must not wait."""

_ENDS: dict[type, DialogEnd] = {
    CallHungUp: DialogEnd.BYE,
    CallCancelled: DialogEnd.CANCEL,
    AckMissing: DialogEnd.NO_ACK,
    CallLost: DialogEnd.LOST,
}


def _nobody_listens(_data: bytes, _source: Address, _destination: Address) -> None:
    """Let the message pass."""


class Place(NamedTuple):
    """Host and port, whatever the transport."""

    host: str
    port: int


class UserAgent:
    """The SIP sockets and the calls that come in by them."""

    def __init__(self, endpoint: Endpoint, sockets: Sockets, retry_after_s: int) -> None:
        self.counters = endpoint.counters
        """Those of the endpoint, and waiting_calls_full, udp_errors, dropped_sends."""
        self.on_message: MessageTap = _nobody_listens
        """Called with every SIP message that comes or leaves."""
        self._endpoint = endpoint
        self._sockets: Sockets | None = sockets
        self._bound = sockets.bound
        self._retry_after_s = retry_after_s
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[IncomingCall] = asyncio.Queue(MAX_WAITING_CALLS)
        self._calls: dict[DialogId, CallLeg] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()

    # For the gateway

    @property
    def local(self) -> Place:
        """Where the first socket is bound; 0.0.0.0 or :: if to every address."""
        return Place(*self._bound[0][:2])

    @property
    def bound(self) -> Sequence[Address]:
        """Where every socket is bound."""
        return self._bound

    def flow_to(self, peer: Address) -> Flow | None:
        """The way to somebody we begin with; None for a transport or family we have not."""
        local = self._sockets.local_towards(peer) if self._sockets is not None else None
        return None if local is None else Flow(local, peer)

    def bind_host(self, local: Address) -> str:
        """What a socket for the media of a call at that address of ours is to be bound to."""
        hosts = [bound.host for bound in self._bound if (":" in bound.host) == (":" in local.host)]
        return local.host if local.host in hosts or not hosts else hosts[0]

    def binding(self, user: str) -> Binding | None:
        """Where a gate that has registered as that user can be called."""
        return self._endpoint.registrar.binding(user, self._loop.time())

    def register(self, account: Account, tell: Tell) -> None:
        """Register there, and stay so until `unregister`."""
        self._endpoint.register(account, tell, self._loop.time())
        self._pump()

    def unregister(self) -> None:
        """Take all our bindings away; `settled` waits for the answers."""
        for registration in self._endpoint.registrations:
            registration.stop(self._loop.time())
        self._pump()

    @property
    def registrations(self) -> Sequence[Registration]:
        """Our own, at gates and trunks."""
        return self._endpoint.registrations

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

    def outgoing(self, destination: Destination) -> OutgoingCall | None:
        """A call of ours, not dialled yet; None where we have no way to that address."""
        local = self._sockets.local_towards(destination.peer) if self._sockets else None
        if local is None:
            return None
        now, call_id = self._loop.time(), self._endpoint.new_call_id()
        return OutgoingCall(destination, self, self._dial, local, now, call_id)

    # For a CallLeg

    def order(self, dialog: DialogId, command: Callable[[DialogUsage, float], T]) -> T | None:
        """Have the protocol's side of the call do it; None where it is over and forgotten."""
        usage = self._endpoint.usage(dialog)
        done = None if usage is None else command(usage, self._loop.time())
        self._let_go(dialog)
        self._pump()
        return done

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

    # For the sockets

    def hear(self, data: bytes, source: Address, local: Address) -> None:
        """Take one message; `local` is our address as its sender sees it."""
        self.on_message(data, source, local)
        self._endpoint.receive_datagram(data, source, self._loop.time(), local)
        self._pump()

    def lose(self, peer: Address) -> None:
        """Take the end of a connection, or that there was none to be had."""
        self._endpoint.lose(peer, self._loop.time())
        self._pump()

    def _pump(self) -> None:
        try:
            while (event := self._endpoint.next_event()) is not None:
                self._take(event)
        finally:
            self._send()
            self._arm_timer()
            self._settled.set()

    def _send(self) -> None:
        for data, flow in self._endpoint.datagrams_to_send():
            if self._sockets is None:
                self.counters["dropped_sends"] += 1
            else:
                self.on_message(data, flow.local, flow.peer)
                self._sockets.send(data, flow)

    def _arm_timer(self) -> None:
        due = self._endpoint.get_timer() if self._sockets is not None else None
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
            return
        self.counters["infos"] += isinstance(event, InfoReceived)
        call = self._calls.get(event.dialog)
        if isinstance(event, OfferReceived) and call is None:
            self._endpoint.answer_offer(event.dialog, None, self._loop.time())
        elif (end := _ENDS.get(type(event))) is not None:
            self._let_go(event.dialog)
            if call is not None:
                call.end_by_peer(end)
        elif call is not None:
            call.take(event)
            self._let_go(event.dialog)

    def _take_call(self, event: CallReceived) -> None:
        if self._waiting.full():
            self.counters["waiting_calls_full"] += 1
            now = self._loop.time()
            self._endpoint.reject(event.dialog, 503, now, self._retry_after_s)
            return
        call = IncomingCall(event, self, self._loop.time())
        self._calls[event.dialog] = call
        self._waiting.put_nowait(call)

    def _dial(self, call: OutgoingCall, plan: InvitePlan) -> DialogId:
        dialog = self._endpoint.call(plan, self._loop.time())
        self._calls[dialog] = call
        self._pump()
        return dialog

    def _let_go(self, dialog: DialogId) -> None:
        """Forget the call of a dialog that is over or ending, and all it holds on to: the
        endpoint needs 32 s more for the dialog, but none of the call's media."""
        if not self._endpoint.is_up(dialog) and (call := self._calls.pop(dialog, None)):
            call.let_go()

    async def close(self) -> None:
        """For `opening.open_user_agent`: close the sockets and wait until they are closed."""
        if self._timer is not None:
            self._timer.cancel()
        sockets, self._sockets = self._sockets, None
        if sockets is not None:
            await sockets.close()
