"""A request of the gate on its way: sent again until it is answered (RFC 3261 17.1)."""

import asyncio
from collections.abc import Callable, Sequence

from .judge import Violation
from .judge_response import TransactionJudge, advice, judge_response
from .wire import Address, RawMessage, read

T1_S = 0.5
T2_S = 4.0
TIMEOUT_S = 64 * T1_S
"""RFC 3261 17.1.1.2 timer B, 17.1.2.2 timer F."""


class Watch:
    """Lets coroutines wait for a condition; whoever changes anything calls `changed()`."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def changed(self) -> None:
        """Let everybody look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], within_s: float | None) -> bool:
        """Wait for the condition; False when it did not come true in time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    await self._next_change()
        except TimeoutError:
            return condition()
        return True

    async def _next_change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)


class ClientTransaction:
    """One request, its retransmissions and the responses to it."""

    def __init__(
        self,
        data: bytes,
        send: Callable[[bytes], None],
        on_response: Callable[["ClientTransaction", RawMessage], None],
        watch: Watch,
        proxies: Sequence[str] = (),
    ) -> None:
        """`proxies`: Record-Route values that our own proxy puts on top."""
        self.data = data
        self.request = read(data)
        self.key = (self.request.branch, self.request.method)
        self.final: RawMessage | None = None
        self.provisional: RawMessage | None = None
        self.timed_out = False
        self.responses = 0
        self.finals_at: list[float] = []
        self.sent_at = 0.0
        self.first_response_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._on_response = on_response
        self._watch = watch
        self._proxies = proxies
        self._judge = TransactionJudge()
        self._timer: asyncio.TimerHandle | None = None
        self._interval_s = T1_S

    @property
    def done(self) -> bool:
        """Whether a final response came or the time is over."""
        return self.final is not None or self.timed_out

    @property
    def status(self) -> int | None:
        """The status of the final response."""
        return self.final.status if self.final is not None else None

    def start(self) -> None:
        """Send it for the first time."""
        self.sent_at = self._loop.time()
        self._send(self.data)
        self._timer = self._loop.call_later(self._interval_s, self._again)

    def send_again(self) -> None:
        """One retransmission out of turn."""
        self._send(self.data)

    def _again(self) -> None:
        """RFC 3261 17.1.1.2 timer A, 17.1.2.2 timer E."""
        now = self._loop.time()
        left_s = self.sent_at + TIMEOUT_S - now
        if left_s <= 0.001:
            self.timed_out = True
            self._watch.changed()
            return
        self._send(self.data)
        self._interval_s *= 2
        if self.request.method != "INVITE":
            self._interval_s = T2_S if self.provisional else min(self._interval_s, T2_S)
        self._timer = self._loop.call_later(min(self._interval_s, left_s), self._again)

    def stop(self) -> None:
        """Send it no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def judge(self, response: RawMessage, source: Address, sent_from: Address) -> list[Violation]:
        """What is wrong with a response that matched this transaction."""
        found = judge_response(
            self.request, response, source=source, sent_from=sent_from, proxies=self._proxies
        )
        return found + self._judge.judge(response)

    def advice(self, response: RawMessage) -> list[Violation]:
        """What could be better, without being wrong."""
        return advice(self.request, response) if self.final is None else []

    def receive(self, response: RawMessage) -> None:
        """Take a response: retransmissions end, whoever waits goes on."""
        now = self._loop.time()
        self.responses += 1
        if self.first_response_at is None:
            self.first_response_at = now
        if response.status < 200:
            self.provisional = response
            # RFC 3261 17.1.1.2: in Proceeding an INVITE is not sent again.
            if self.request.method == "INVITE":
                self.stop()
        else:
            self.stop()
            self.finals_at = [*self.finals_at, now][-64:]
            self.final = self.final or response
        self._on_response(self, response)
        self._watch.changed()
