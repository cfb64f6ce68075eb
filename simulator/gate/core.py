"""What a gate is before it calls anybody: its sockets, its findings, requests outside of calls."""

import asyncio
import random
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

from simulator.clock import VirtualLoop
from simulator.network import Impairment

from .dialog import CallerDialog
from .extension import Extension
from .judge import Findings, Violation
from .party import NoAnswer
from .paths import FairFindings, Paths
from .profile import load_profile
from .qualify import Qualifier
from .registration import Registration
from .sip_socket import Recorder
from .switchboard import Switchboard
from .transaction import TIMEOUT_S, ClientTransaction
from .wire import Address, RawMessage

OnResponse = Callable[[ClientTransaction, RawMessage], None]


class GateCore:
    """Opens and closes with `async with`; the verbs are in `SimulatedGate`."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        gateway: tuple[str, int] | None = None,
        profile: str = "chan_sip",
        seed: int = 0,
        tape: Recorder | None = None,
        impairment: Impairment | None = None,
        clock: Literal["virtual", "real"] | None = None,
        qualify_s: float | None = None,
        proxied: bool = False,
        extension: Extension | None = None,
        **quirks: Any,
    ) -> None:
        """`clock` decides how exact RTP must be (None: by the running loop).

        `qualify_s`: the period of OPTIONS. `impairment` meets the callers' RTP; see `paths`.
        `proxied`: SIP takes its way through a proxy of the gate's own, at `gate.proxy`.
        `extension`: `gateway` is a real gate, called as this account; it calls the gateway.
        """
        self.gateway = Address(*gateway) if gateway is not None else None
        self.extension = extension
        if extension is not None:
            # A gate may wait for the telephone's sound: it and we would wait for ever.
            quirks = {"strict_rtp": False, **quirks}
        self.profile = load_profile(profile).with_quirks(**quirks)
        self.advice = Findings()
        self.dialled = 0
        self.paths = Paths(rtp_out=impairment, through_gate=extension is not None)
        self.findings = FairFindings(paths=self.paths)
        self._host, self._port, self._proxied = host, port, proxied
        self._random = random.Random(seed)
        self._tape = tape
        self._clock = clock
        self._qualify_s = qualify_s
        self._qualifier: Qualifier | None = None
        self._registrations: list[Registration] = []

    async def __aenter__(self) -> Self:
        virtual = isinstance(asyncio.get_running_loop(), VirtualLoop)
        self.exact = virtual if self._clock is None else self._clock == "virtual"
        self._board = Switchboard(
            self._host,
            self.profile,
            self.findings,
            self.advice,
            self.paths,
            self._tape,
            exact=self.exact,
        )
        self._watch, self._reception = self._board.watch, self._board.reception
        self._socket = await self._board.open(self._port, proxied=self._proxied)
        if self._qualify_s is not None:
            self._qualifier = Qualifier(self._send_options, self.findings, self._qualify_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._board.end_calls()
        finally:
            if self._qualifier is not None:
                self._qualifier.stop()
            for registration in self._registrations:
                registration.stop()
            await self._board.close()

    # --- what can be seen -------------------------------------------------------------------

    @property
    def address(self) -> Address:
        """Where the gate's (first) SIP socket is bound."""
        return self._socket.address

    @property
    def proxy(self) -> Address:
        """Where its proxy listens: whom the gateway calls to reach the gate through it."""
        if self._board.router is None:
            raise ValueError("this gate has no proxy: SimulatedGate(proxied=True)")
        return self._board.router.address

    @property
    def violations(self) -> list[Violation]:
        """All rules the gateway broke, in all calls."""
        return self.findings.violations

    @property
    def qualified(self) -> list[int | None]:
        """The status of each qualify OPTIONS, None for one not answered in 2 s."""
        return self._qualifier.statuses if self._qualifier is not None else []

    @property
    def open_calls(self) -> int:
        """Calls that are not over."""
        return sum(not call.is_over for call in self._reception.calls.values())

    def check(self) -> None:
        """Raise an AssertionError that lists all violations, if any."""
        self.findings.check(f"gate {self.profile.name} at {self.address}")

    # --- requests outside of calls ----------------------------------------------------------

    async def options(self, within_s: float = TIMEOUT_S + 1) -> int:
        """Send OPTIONS outside of any call (a qualify); gives the status, or raises NoAnswer."""
        transaction = self._send_options()
        await self._watch.until(lambda: transaction.done, within_s)
        if transaction.status is None:
            raise NoAnswer(
                f"no answer to OPTIONS from {self.gateway} within {within_s:.0f} s: "
                "is the gateway running there?"
            )
        return transaction.status

    def send_raw(self, data: bytes) -> None:
        """Send any bytes to the gateway."""
        self._socket.send(data, self._called())

    def _send_options(self) -> ClientTransaction:
        dialog = self._dialog(self._random)
        return self._send(dialog, dialog.request("OPTIONS"), lambda _transaction, _response: None)

    def _send_register(self, registration: Registration, data: bytes) -> ClientTransaction:
        return self._send(registration.dialog, data, registration.on_response)

    def _send(
        self, dialog: CallerDialog, data: bytes, on_response: OnResponse
    ) -> ClientTransaction:
        first_hop = self._board.first_hop(dialog.gateway)
        transaction = ClientTransaction(
            data,
            lambda sent: self._socket.send(sent, first_hop),
            on_response,
            self._watch,
            self._board.proxies,
        )
        self._reception.track(transaction, self.findings)
        transaction.start()
        return transaction

    def _dialog(self, source: random.Random) -> CallerDialog:
        return CallerDialog(
            self.profile,
            source,
            local=self._socket.address,
            gateway=self._called(),
            number="",
            caller="asterisk",
        )

    def _chance(self) -> random.Random:
        # One stream of chance per call: what one draws does not change the next.
        return random.Random(self._random.getrandbits(64))

    def _called(self) -> Address:
        if self.gateway is None:
            raise ValueError("this gate knows no gateway: SimulatedGate(gateway=(host, port))")
        return self.gateway
