"""An INVITE of the gateway being answered: resends of what the gate says, until the ACK comes."""

import asyncio
from collections.abc import Callable

from .transaction import T1_S, T2_S, TIMEOUT_S
from .wire import RawMessage


class InviteServer:
    """The INVITE server transaction, and the UAS that sends a 2xx again itself."""

    def __init__(
        self,
        request: RawMessage,
        send: Callable[[bytes], None],
        gave_up: Callable[["InviteServer"], None],
    ) -> None:
        """`gave_up` is called when no ACK came within 32 s."""
        self.request = request
        self.status = 0
        self.acks = 0
        self.repeats = 0
        self.provisional_at: float | None = None
        self.final_at: float | None = None
        self.answer = b""
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._gave_up = gave_up
        self._timer: asyncio.TimerHandle | None = None
        self._interval_s = T1_S

    @property
    def is_final(self) -> bool:
        """Whether the INVITE has its final answer."""
        return self.status >= 200

    @property
    def waits(self) -> bool:
        """Whether an ACK is still waited for."""
        return self._timer is not None

    def respond(self, status: int, data: bytes, *, resend: bool = True) -> None:
        """Send a response; nothing once there is a final one."""
        if self.is_final:
            return
        self.status, self.answer = status, data
        if self.is_final:
            self.final_at = self._loop.time()
            if resend:
                # RFC 3261 13.3.1.4 for a 2xx, 17.2.1 timers G and H for a refusal.
                self._timer = self._loop.call_later(T1_S, self._again)
        elif self.provisional_at is None:
            self.provisional_at = self._loop.time()
        self._send(data)

    def repeated(self) -> None:
        """RFC 3261 17.2.1: the INVITE came again, the newest response goes again."""
        self.repeats += 1
        if self.answer and not self.acks:
            self._send(self.answer)

    def send_again(self) -> None:
        """The final answer once more, out of turn."""
        self._send(self.answer)

    def acknowledged(self) -> None:
        """An ACK came."""
        self.acks += 1
        self.stop()

    def stop(self) -> None:
        """Send nothing again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        left_s = (self.final_at or 0.0) + TIMEOUT_S - self._loop.time()
        if left_s <= 0.001:
            self._timer = None
            self._gave_up(self)
            return
        self._send(self.answer)
        self._interval_s = min(2 * self._interval_s, T2_S)
        self._timer = self._loop.call_later(min(self._interval_s, left_s), self._again)
