"""One outbound call as the gateway holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from voicegate.sip.address import Address, Flow
from voicegate.sip.events import CallAnswered, CallFailed, CallRinging, DialogId, Event
from voicegate.sip.headers import user_of
from voicegate.sip.leg import CallLeg, Commands
from voicegate.sip.login import Login
from voicegate.sip.outbound import InvitePlan

NO_ANSWER, NOT_ACCEPTABLE = 408, 488


class CallRefused(Exception):
    """A call of ours came to nothing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        """The final answer; 408 where none came in time."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom to call, and how."""

    uri: str
    """The Request-URI."""
    caller: str
    """Our own URI there."""
    peer: Address
    """Where the INVITE goes."""
    login: Login | None = None
    """Our account there."""
    ring_limit_s: float = 60.0
    """It may ring for so long."""


class OutgoingCall(CallLeg):
    """A call that we make: dialled by `connect`, and given up by whatever ends that."""

    is_ours = True

    def __init__(
        self,
        destination: Destination,
        commands: Commands,
        dial: Callable[[OutgoingCall, InvitePlan], DialogId],
        local: Address,
        began_at: float,
        call_id: str,
    ) -> None:
        super().__init__(DialogId(call_id, "", ""), commands, destination.peer, local, began_at)
        self.caller, self.called = user_of(destination.caller), user_of(destination.uri)
        self.status: int | None = None
        """The final answer; None before it."""
        self.on_progress: Callable[[int], None] = lambda _status: None
        """Told each provisional status, and the final one."""
        self._destination = destination
        self._dial = dial
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def connect(self, sdp: bytes) -> None:
        """Dial, and wait until it is answered; raises CallRefused."""
        to, flow = self._destination, Flow(self.local, self.source)
        plan = InvitePlan(to.uri, to.caller, flow, sdp, self.call_id, to.login)
        self.dialog = self._dial(self, plan)
        try:
            async with asyncio.timeout(to.ring_limit_s):
                body = await self._answer
        except TimeoutError:
            raise CallRefused(NO_ANSWER, "nobody answered in time") from None
        if not self.media.agree(body):
            raise CallRefused(NOT_ACCEPTABLE, "no media that both can take")

    def reject(self, status: int, *, retry_after_s: int | None = None) -> None:  # noqa: ARG002
        """Give up a call that is not answered yet: CANCEL."""
        if self.status is None:
            self.hang_up()

    def take(self, event: Event) -> None:
        """Have the event do what it does to this call."""
        match event:
            case CallRinging(_, status, body):
                if body:
                    self.media.agree(body)
                self.on_progress(status)
            case CallAnswered(_, body):
                self._settle(200)
                if not self._answer.done():  # else whoever dialled is gone, and hangs up
                    self._answer.set_result(body)
            case CallFailed(_, status, reason):
                self._settle(status)
                if not self._answer.done():
                    self._answer.set_exception(CallRefused(status, reason))
            case _:
                super().take(event)

    def _settle(self, status: int) -> None:
        self.status = status
        self.on_progress(status)
