"""The sockets and calls of a gate: opened here, known here, and all of them closed here."""

import asyncio
import random
from typing import Any

from .called import AnsweredCall
from .caller import SimulatedCall
from .dialog import CallerDialog
from .digest import Credentials
from .judge import Findings
from .leg import CallLeg, Line
from .media import CallMedia
from .mid_call import MidCall
from .paths import FairFindings, Paths
from .plan import AnswerPlan
from .profile import Profile
from .proxy import LooseRouter, OuterTape
from .reception import Reception
from .sip_socket import Recorder, UdpSocket, open_udp
from .transaction import TIMEOUT_S, Watch
from .wire import Address

LINGER_EXACT_S = 0.25
LINGER_REAL_S = 1.0
"""How long the RTP port of an ended call stays open, so that late packets are seen."""

CALLS_MAX = 1000
NOBODY = Address("", 0)


class Switchboard:
    """What a gate owns."""

    def __init__(
        self,
        host: str,
        profile: Profile,
        findings: Findings,
        advice: Findings,
        paths: Paths,
        tape: Recorder | None,
        *,
        exact: bool,
    ) -> None:
        self.watch = Watch()
        self.reception = Reception(profile, findings, advice)
        self.router: LooseRouter | None = None
        self.profile = profile
        self.exact = exact
        self._host = host
        self._findings = findings
        self._advice = advice
        self._paths = paths
        self._tape = tape
        self._loop = asyncio.get_running_loop()
        self._sockets: list[UdpSocket] = []
        self._lingering: dict[CallLeg, asyncio.TimerHandle] = {}

    async def open(self, port: int, *, proxied: bool) -> UdpSocket:
        """Open the first SIP socket, and the proxy's where there is to be one."""
        socket = await self._open_socket(port)
        if proxied:
            self.router = LooseRouter(self._findings, socket.address)
            receive = self.router.receive
            tape = OuterTape(self._tape, self._is_own) if self._tape is not None else None
            own = await open_udp(self._host, 0, receive, tape)
            self.router.attach(own)
        return socket

    def _is_own(self, address: tuple[str, int]) -> bool:
        return any(socket.address == address for socket in self._sockets)

    @property
    def socket(self) -> UdpSocket:
        """The first SIP socket."""
        return self._sockets[0]

    def first_hop(self, gateway: Address) -> Address:
        """Where a request to the gateway goes first."""
        return self.router.address if self.router is not None else gateway

    @property
    def proxies(self) -> tuple[str, ...]:
        """What our proxy puts into Record-Route."""
        return (self.router.record_route,) if self.router is not None else ()

    async def new_call(
        self,
        profile: Profile,
        source: random.Random,
        gateway: Address,
        *,
        identity: int,
        number: str,
        credentials: Credentials | None = None,
        **dialogue: Any,
    ) -> SimulatedCall:
        """A call to the gateway, ready for its INVITE."""
        socket = self.socket
        if profile.quirks.rotate_source_port:
            socket = await self._open_socket(0)
        dialog = CallerDialog(
            profile, source, local=socket.address, gateway=gateway, number=number, **dialogue
        )
        call = SimulatedCall(
            self._line(socket, gateway),
            profile,
            source,
            self._call_findings(),
            dialog=dialog,
            identity=identity,
            number=number,
            credentials=credentials,
        )
        await self._admit(call)
        self.reception.calls[dialog.call_id] = call
        return call

    async def await_call(
        self, profile: Profile, source: random.Random, plan: AnswerPlan, *, identity: int
    ) -> AnsweredCall:
        """A call that the gateway is expected to make."""
        line = self._line(self.socket, NOBODY)
        call = AnsweredCall(line, profile, source, self._call_findings(), plan, identity=identity)
        await self._admit(call)
        self.reception.awaited.append(call)
        return call

    async def _admit(self, call: MidCall) -> None:
        if len(self.reception.calls) + len(self.reception.awaited) >= CALLS_MAX:
            raise ValueError(f"more than {CALLS_MAX} calls at once")
        await call.media.open(self._host, self._tape, self._paths)

    def _call_findings(self) -> Findings:
        return FairFindings(parent=self._findings, paths=self._paths)

    def _line(self, socket: UdpSocket, gateway: Address) -> Line:
        return Line(
            socket=socket,
            gateway=gateway,
            first_hop=self.first_hop(gateway),
            proxies=self.proxies,
            track=lambda transaction, call: self.reception.track(transaction, call.findings),
            begun=self._begun,
            ended=self._linger,
            last_heard=self.reception.said_last,
            watch=self.watch,
            exact=self.exact,
            advice=self._advice,
        )

    async def _open_socket(self, port: int) -> UdpSocket:
        receive = self.reception.receive
        socket = await open_udp(self._host, port, receive, self._tape, sip=self._paths)
        self._sockets.append(socket)
        return socket

    def _begun(self, call: CallLeg) -> None:
        if isinstance(call, MidCall):
            self.reception.calls[call.dialog.call_id] = call

    def _linger(self, call: CallLeg) -> None:
        if isinstance(call, AnsweredCall) and call in self.reception.awaited:
            self.reception.awaited.remove(call)
        after_s = LINGER_EXACT_S if self.exact else LINGER_REAL_S
        self._lingering[call] = self._loop.call_later(after_s, self._release, call)

    def _release(self, call: CallLeg) -> None:
        """Late packets had their time: the RTP port goes; of the call only the dialog stays."""
        self._lingering.pop(call, None)
        call.media.close()
        if not call.is_settled:
            self._linger(call)  # a BYE that is still unanswered is sent again until 32 s are over
        elif isinstance(call, MidCall):
            self.reception.forget(call)
            if call.socket is not self.socket:
                call.socket.close()
                self._sockets.remove(call.socket)

    async def end_calls(self) -> None:
        """Hang up whatever is up, and wait for the answers; in real time not for ever."""
        calls: list[MidCall] = [*self.reception.calls.values(), *self.reception.awaited]
        for call in calls:
            if not call.is_over:
                call.abandon()
        await self.watch.until(
            lambda: all(call.is_settled for call in calls), TIMEOUT_S if self.exact else 4.0
        )

    async def close(self) -> None:
        """Close all sockets and stop all timers."""
        for timer in self._lingering.values():
            timer.cancel()
        self.reception.stop()
        # Ended calls that are still lingering, too: a call that never began has no Call-ID.
        calls: list[CallLeg] = list(
            dict.fromkeys(
                [*self.reception.calls.values(), *self._lingering, *self.reception.awaited]
            )
        )
        self._lingering.clear()
        owners: list[CallMedia | UdpSocket] = [*(call.media for call in calls), *self._sockets]
        if self.router is not None and self.router.socket is not None:
            owners.append(self.router.socket)
        for call in calls:
            if isinstance(call, MidCall):
                call.release()
        for owner in owners:
            owner.close()
        for owner in owners:
            await owner.closed()
        self.reception.calls.clear()
        self.reception.awaited.clear()
