"""The four transactions of RFC 3261 17 (with RFC 6026) as tables, and the engine that runs them.

Everything that decides what a transaction does stands in the four `Machine` values below: which
input in which state leads where and does what, and which timers run in a state. The engine knows
no SIP. A pair that is in no table is a bug of ours and raises LocalProtocolError; all that the
network can send is in the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from voicegate.sip.message import Response
from voicegate.sip.timers import Timer, Timers

T1_S = 0.5
T2_S = 4.0
T4_S = 5.0
LINGER_S = 64 * T1_S

OnResult = Callable[[Response | None, float], None]
"""Told of each response that counts, or of None when none came in time; and of `now`."""


class LocalProtocolError(RuntimeError):
    """We asked a transaction for what its state does not allow."""


class State(Enum):
    """The names of the figures in RFC 3261 17 and RFC 6026 7."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(Enum):
    """What can happen to a transaction."""

    REQUEST = auto()
    """A server transaction's request came again."""
    ACK = auto()
    SEND_1XX = auto()
    SEND_2XX = auto()
    SEND_FAILURE = auto()
    GOT_1XX = auto()
    GOT_2XX = auto()
    GOT_FAILURE = auto()
    RESEND_DUE = auto()
    """Timer A, E or G."""
    GIVE_UP_DUE = auto()
    """Timer B, F or H."""
    LINGER_DUE = auto()
    """Timer D, I, J, K, L or M."""


class Do(Enum):
    """What a transaction does on the way into its next state."""

    SEND = auto()
    """Send the message it holds."""
    PASS = auto()
    """Tell its user."""
    ACK = auto()
    """Send the ACK it holds (client side of a refused INVITE)."""


@dataclass(frozen=True, slots=True)
class TimerRule:
    """A timer that runs as long as the transaction is in a state that has it."""

    after_s: float
    grows_to_s: float | None = None
    """A resend timer doubles up to this; None: the timer fires once."""


Step = tuple[State, tuple[Do, ...]]


@dataclass(frozen=True, slots=True)
class Machine:
    """One transaction type."""

    name: str
    first: State
    table: Mapping[tuple[State, Input], Step]
    timers: Mapping[State, Mapping[Input, TimerRule]]


SERVER_INVITE = Machine(
    "INVITE server transaction",
    State.PROCEEDING,
    {
        # RFC 3261 17.2.1; Accepted: RFC 6026 7.1
        (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.ACK): (State.PROCEEDING, ()),
        (State.PROCEEDING, Input.SEND_1XX): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.SEND_2XX): (State.ACCEPTED, (Do.SEND,)),
        (State.PROCEEDING, Input.SEND_FAILURE): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.RESEND_DUE): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.ACK): (State.CONFIRMED, ()),
        (State.COMPLETED, Input.GIVE_UP_DUE): (State.TERMINATED, ()),
        (State.CONFIRMED, Input.REQUEST): (State.CONFIRMED, ()),
        (State.CONFIRMED, Input.ACK): (State.CONFIRMED, ()),
        (State.CONFIRMED, Input.LINGER_DUE): (State.TERMINATED, ()),
        # RFC 6026 absorbs the repeated INVITE here and leaves the 2xx to its own timer; we send
        # the 2xx at once too: who asks again has not got it, and waits up to 4 s for nothing.
        (State.ACCEPTED, Input.REQUEST): (State.ACCEPTED, (Do.SEND,)),
        (State.ACCEPTED, Input.ACK): (State.ACCEPTED, ()),
        (State.ACCEPTED, Input.SEND_2XX): (State.ACCEPTED, (Do.SEND,)),
        (State.ACCEPTED, Input.LINGER_DUE): (State.TERMINATED, ()),
    },
    {
        State.COMPLETED: {
            Input.RESEND_DUE: TimerRule(T1_S, grows_to_s=T2_S),
            Input.GIVE_UP_DUE: TimerRule(LINGER_S),
        },
        State.CONFIRMED: {Input.LINGER_DUE: TimerRule(T4_S)},
        State.ACCEPTED: {Input.LINGER_DUE: TimerRule(LINGER_S)},
    },
)

SERVER_NON_INVITE = Machine(
    "non-INVITE server transaction",
    State.TRYING,
    {
        # RFC 3261 17.2.2
        (State.TRYING, Input.REQUEST): (State.TRYING, ()),
        (State.TRYING, Input.SEND_1XX): (State.PROCEEDING, (Do.SEND,)),
        (State.TRYING, Input.SEND_2XX): (State.COMPLETED, (Do.SEND,)),
        (State.TRYING, Input.SEND_FAILURE): (State.COMPLETED, (Do.SEND,)),
        (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.SEND_1XX): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.SEND_2XX): (State.COMPLETED, (Do.SEND,)),
        (State.PROCEEDING, Input.SEND_FAILURE): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.LINGER_DUE): (State.TERMINATED, ()),
    },
    {State.COMPLETED: {Input.LINGER_DUE: TimerRule(LINGER_S)}},
)

CLIENT_INVITE = Machine(
    "INVITE client transaction",
    State.CALLING,
    {
        # RFC 3261 17.1.1; Accepted: RFC 6026 7.2; what rings after a CANCEL is given up on (9.1)
        (State.CALLING, Input.RESEND_DUE): (State.CALLING, (Do.SEND,)),
        (State.CALLING, Input.GIVE_UP_DUE): (State.TERMINATED, (Do.PASS,)),
        (State.CALLING, Input.GOT_1XX): (State.PROCEEDING, (Do.PASS,)),
        (State.CALLING, Input.GOT_2XX): (State.ACCEPTED, (Do.PASS,)),
        (State.CALLING, Input.GOT_FAILURE): (State.COMPLETED, (Do.ACK, Do.PASS)),
        (State.PROCEEDING, Input.GOT_1XX): (State.PROCEEDING, (Do.PASS,)),
        (State.PROCEEDING, Input.GOT_2XX): (State.ACCEPTED, (Do.PASS,)),
        (State.PROCEEDING, Input.GOT_FAILURE): (State.COMPLETED, (Do.ACK, Do.PASS)),
        (State.PROCEEDING, Input.GIVE_UP_DUE): (State.TERMINATED, (Do.PASS,)),
        (State.COMPLETED, Input.GOT_1XX): (State.COMPLETED, ()),
        (State.COMPLETED, Input.GOT_2XX): (State.COMPLETED, ()),
        (State.COMPLETED, Input.GOT_FAILURE): (State.COMPLETED, (Do.ACK,)),
        (State.COMPLETED, Input.LINGER_DUE): (State.TERMINATED, ()),
        (State.ACCEPTED, Input.GOT_1XX): (State.ACCEPTED, ()),
        (State.ACCEPTED, Input.GOT_2XX): (State.ACCEPTED, (Do.PASS,)),
        (State.ACCEPTED, Input.GOT_FAILURE): (State.ACCEPTED, ()),
        (State.ACCEPTED, Input.LINGER_DUE): (State.TERMINATED, ()),
    },
    {
        State.CALLING: {
            Input.RESEND_DUE: TimerRule(T1_S, grows_to_s=LINGER_S),
            Input.GIVE_UP_DUE: TimerRule(LINGER_S),
        },
        State.COMPLETED: {Input.LINGER_DUE: TimerRule(LINGER_S)},
        State.ACCEPTED: {Input.LINGER_DUE: TimerRule(LINGER_S)},
    },
)

CLIENT_NON_INVITE = Machine(
    "non-INVITE client transaction",
    State.TRYING,
    {
        # RFC 3261 17.1.2
        (State.TRYING, Input.RESEND_DUE): (State.TRYING, (Do.SEND,)),
        (State.TRYING, Input.GIVE_UP_DUE): (State.TERMINATED, (Do.PASS,)),
        (State.TRYING, Input.GOT_1XX): (State.PROCEEDING, (Do.PASS,)),
        (State.TRYING, Input.GOT_2XX): (State.COMPLETED, (Do.PASS,)),
        (State.TRYING, Input.GOT_FAILURE): (State.COMPLETED, (Do.PASS,)),
        (State.PROCEEDING, Input.RESEND_DUE): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.GIVE_UP_DUE): (State.TERMINATED, (Do.PASS,)),
        (State.PROCEEDING, Input.GOT_1XX): (State.PROCEEDING, (Do.PASS,)),
        (State.PROCEEDING, Input.GOT_2XX): (State.COMPLETED, (Do.PASS,)),
        (State.PROCEEDING, Input.GOT_FAILURE): (State.COMPLETED, (Do.PASS,)),
        (State.COMPLETED, Input.GOT_1XX): (State.COMPLETED, ()),
        (State.COMPLETED, Input.GOT_2XX): (State.COMPLETED, ()),
        (State.COMPLETED, Input.GOT_FAILURE): (State.COMPLETED, ()),
        (State.COMPLETED, Input.LINGER_DUE): (State.TERMINATED, ()),
    },
    {
        State.TRYING: {
            Input.RESEND_DUE: TimerRule(T1_S, grows_to_s=T2_S),
            Input.GIVE_UP_DUE: TimerRule(LINGER_S),
        },
        # Timer F runs on from Trying; timer E from now on fires every T2
        State.PROCEEDING: {
            Input.RESEND_DUE: TimerRule(T2_S, grows_to_s=T2_S),
            Input.GIVE_UP_DUE: TimerRule(LINGER_S),
        },
        State.COMPLETED: {Input.LINGER_DUE: TimerRule(T4_S)},
    },
)


class Transaction:
    """One transaction: a machine, its state, the message it resends and its running timers."""

    def __init__(
        self,
        machine: Machine,
        timers: Timers,
        send: Callable[[bytes], None],
        on_end: Callable[[], None],
        on_pass: OnResult | None = None,
        resends: bool = True,
    ) -> None:
        """Over a connection nothing is resent (RFC 3261 17: no timers A, E and G)."""
        self.machine = machine
        self.state = machine.first
        self.message = b""
        self.ack = b""
        """What a client transaction answers a refused INVITE with."""
        self._timers = timers
        self._send = send
        self._on_end = on_end
        self._on_pass = on_pass
        self._resends = resends
        self._running: dict[Input, Timer] = {}

    def start(self, now: float, request: bytes = b"") -> None:
        """Run the first state's timers; a client transaction sends its request."""
        self.message = request
        if request:
            self._send(request)
        self._run_timers(now)

    def feed(
        self,
        happened: Input,
        now: float,
        message: bytes | None = None,
        response: Response | None = None,
    ) -> None:
        """Take one step. `message` replaces what is held and resent; `response` is what came."""
        try:
            self.state, todo = self.machine.table[self.state, happened]
        except KeyError:
            raise LocalProtocolError(
                f"{self.machine.name}: {happened.name} in {self.state.name}"
            ) from None
        if message is not None:
            self.message = message
        if Do.SEND in todo and self.message:
            self._send(self.message)
        if Do.ACK in todo:
            self._send(self.ack)
        self._run_timers(now)
        if self.state is State.TERMINATED:
            self._on_end()
        if Do.PASS in todo and self._on_pass is not None:
            self._on_pass(response, now)

    def stop(self) -> None:
        """Nothing is sent nor told any more."""
        self.state = State.TERMINATED
        for timer in self._running.values():
            timer.cancel()

    def _run_timers(self, now: float) -> None:
        """Stop the timers this state has not; start those it has and that do not run yet."""
        rules = self.machine.timers.get(self.state, {})
        for name in [name for name in self._running if name not in rules]:
            self._running.pop(name).cancel()
        for name, rule in rules.items():
            if name not in self._running and (name is not Input.RESEND_DUE or self._resends):
                self._start(name, now, rule.after_s)

    def _start(self, name: Input, now: float, interval_s: float) -> None:
        def on_due(now: float) -> None:
            del self._running[name]
            # Timer E outlives its state: how it goes on is up to the rule of the state of now
            rule = self.machine.timers[self.state][name]
            if rule.grows_to_s is not None:
                grown_s = min(2 * interval_s, rule.grows_to_s)
                self._start(name, now, max(rule.after_s, grown_s))
            self.feed(name, now)

        self._running[name] = self._timers.at(now + interval_s, on_due)
