"""One inbound call as the gateway holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from voicegate.sip.events import CallReceived, DialogEnd, DialogId
from voicegate.sip.headers import user_of
from voicegate.sip.message import Headers

Renegotiate = Callable[[bytes], bytes | None]
Inform = Callable[[str, bytes], None]


class DialogCommands(Protocol):
    """What an IncomingCall asks of its user agent."""

    def ring(self, dialog: DialogId) -> None: ...
    def answer(self, dialog: DialogId, sdp: bytes) -> None: ...
    def reject(self, dialog: DialogId, status: int, retry_after_s: int | None) -> None: ...
    def hang_up(self, dialog: DialogId) -> bool: ...
    def abort(self, dialog: DialogId) -> None: ...


def refuse_offer(_body: bytes) -> bytes | None:
    """What answers a re-INVITE as long as nobody else does: 488."""
    return None


def ignore_info(_content_type: str, _body: bytes) -> None:
    """What hears an INFO as long as nobody else does."""


class IncomingCall:
    """One INVITE and the dialog it makes.

    Every command does the right thing for the state of the dialog, or nothing where it comes too
    late; none raises. The transactions go on in the user agent after this object is dropped.
    """

    def __init__(self, event: CallReceived, commands: DialogCommands, received_at: float) -> None:
        invite = event.invite
        self.dialog = event.dialog
        self.call_id = event.dialog.call_id
        self.caller = user_of(invite.request.from_.uri)
        """The user part of From, readable, "" if none."""
        self.called = user_of(invite.request.uri) or user_of(invite.request.to.uri)
        """The user part of the Request-URI, else of To, readable, "" if none."""
        self.body = invite.request.body
        self.source = invite.source
        self.local = invite.local
        """Our address as the caller's gate sees it."""
        self.received_at = received_at
        """Loop time, in seconds."""
        self.renegotiate: Renegotiate = refuse_offer
        """Given the body of a re-INVITE gives the current answer; None: 488, the call goes on."""
        self.inform: Inform = ignore_info
        """Given Content-Type and body of each INFO; it has been answered 200."""
        self.end: DialogEnd | None = None
        """How the peer ended the dialog; None while it has not."""
        self._invite = invite.request
        self._commands = commands
        self._ended = asyncio.Event()

    @property
    def headers(self) -> Headers:
        """All headers of the INVITE in their order, compact names written out."""
        return self._invite.headers

    def header(self, name: str) -> str | None:
        """The first value of that header of the INVITE, as it came."""
        return self._invite.header(name)

    def ring(self) -> None:
        """180; nothing once a final answer is out."""
        self._commands.ring(self.dialog)

    def answer(self, sdp: bytes) -> None:
        """200 with this SDP, resent until its ACK; nothing once a final answer is out."""
        self._commands.answer(self.dialog, sdp)

    def reject(self, status: int, *, retry_after_s: int | None = None) -> None:
        """A refusal, 300 to 699 (else ValueError); nothing once a final answer is out."""
        self._commands.reject(self.dialog, status, retry_after_s)

    def hang_up(self) -> bool:
        """BYE if answered and still up: then True. Before the ACK it is held back until that
        comes or 32 s have passed (RFC 3261 15). Harmless twice."""
        return self._commands.hang_up(self.dialog)

    def abort(self) -> None:
        """500 before the final answer, BYE after it."""
        self._commands.abort(self.dialog)

    async def ended_by_peer(self) -> DialogEnd:
        """Wait for BYE, CANCEL or the missing ACK; at once if that was before. Cancel-safe.

        Never returns for a call that we ended ourselves.
        """
        await self._ended.wait()
        if self.end is None:
            raise AssertionError("ended without a reason")
        return self.end

    def end_by_peer(self, end: DialogEnd) -> None:
        """For the user agent: say how it ended."""
        self.end = end
        self._ended.set()
