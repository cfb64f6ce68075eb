"""One inbound call as the gateway holds it."""

from __future__ import annotations

from voicegate.sip.events import CallReceived
from voicegate.sip.headers import user_of
from voicegate.sip.leg import CallLeg, Commands
from voicegate.sip.message import Headers


class IncomingCall(CallLeg):
    """One INVITE and the dialog it makes."""

    def __init__(self, event: CallReceived, commands: Commands, received_at: float) -> None:
        invite = event.invite
        super().__init__(event.dialog, commands, invite.source, invite.local, received_at)
        self.caller = user_of(invite.request.from_.uri)
        self.called = user_of(invite.request.uri) or user_of(invite.request.to.uri)
        self.body = invite.request.body
        self._invite = invite.request

    @property
    def headers(self) -> Headers:
        """All headers of the INVITE in their order, compact names written out."""
        return self._invite.headers

    def header(self, name: str) -> str | None:
        """The first value of that header of the INVITE, as it came."""
        return self._invite.header(name)

    async def connect(self, sdp: bytes) -> None:
        """Answer with this SDP; nothing is waited for."""
        self.answer(sdp)

    def ring(self) -> None:
        """180; nothing once a final answer is out."""
        self._commands.ring(self.dialog)

    def answer(self, sdp: bytes) -> None:
        """200 with this SDP, resent until its ACK; nothing once a final answer is out."""
        self._commands.answer(self.dialog, sdp)

    def reject(self, status: int, *, retry_after_s: int | None = None) -> None:
        """A refusal, 300 to 699 (else ValueError); nothing once a final answer is out."""
        self._commands.reject(self.dialog, status, retry_after_s)
