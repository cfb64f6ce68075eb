"""What the gateway holds of a call, whichever side began it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from voicegate.sip.address import Address
from voicegate.sip.events import (
    AnswerReceived,
    CallConfirmed,
    DialogEnd,
    DialogId,
    Event,
    InfoReceived,
    OfferReceived,
    ReferReceived,
    TransferTold,
)
from voicegate.sip.incall import DialogUsage
from voicegate.sip.message import Headers

T = TypeVar("T")

TRANSFER_LIMIT_S = 90.0
"""The peer tells how a transfer went within this, or it went wrong."""
DECLINED = 603


class Commands(Protocol):
    """What a call asks of its user agent."""

    def order(self, dialog: DialogId, command: Callable[[DialogUsage, float], T]) -> T | None:
        """Have the protocol's side of the call do it; None where it is over and forgotten."""

    def ring(self, dialog: DialogId) -> None: ...
    def answer(self, dialog: DialogId, sdp: bytes) -> None: ...
    def reject(self, dialog: DialogId, status: int, retry_after_s: int | None) -> None: ...


class Descriptions(Protocol):
    """Who describes the media of a call: the border between SIP and media."""

    def renegotiate(self, body: bytes) -> bytes | None:
        """Answer the peer's new offer; None if it cannot be taken (488)."""

    def offer(self) -> bytes | None:
        """Our own description, for a peer that asks for one; None for none (488)."""

    def agree(self, body: bytes) -> bool:
        """Take the peer's answer to our offer; whether it can be taken."""


class Silent:
    """What describes nothing: before a call has media, and when it is over."""

    def renegotiate(self, _body: bytes) -> bytes | None:
        return None

    def offer(self) -> bytes | None:
        return None

    def agree(self, _body: bytes) -> bool:
        return True


class CallLeg:
    """One dialog as its call sees it.

    Every command does the right thing for the state of the dialog, or nothing where it comes too
    late; none raises. The transactions go on in the user agent after this object is dropped.
    """

    caller: str
    """The user part of From, readable, "" if none."""
    called: str
    """The user part of the Request-URI, else of To, readable, "" if none."""
    is_ours = False
    """Whether we began it."""

    def __init__(
        self, dialog: DialogId, commands: Commands, peer: Address, local: Address, began_at: float
    ) -> None:
        self.dialog = dialog
        self.call_id = dialog.call_id
        self.body = b""
        """The peer's offer, or b"" where ours is due."""
        self.source = peer
        self.local = local
        """Our address as the peer sees it."""
        self.received_at = began_at
        """Loop time of its first message, in seconds."""
        self.end: DialogEnd | None = None
        """How the peer ended the dialog; None while it has not."""
        self._commands = commands
        self._ended = asyncio.Event()
        self._transfer: asyncio.Future[int] | None = None
        self.let_go()

    @property
    def headers(self) -> Headers:
        """All headers of the peer's INVITE in their order; none where we call."""
        return ()

    async def connect(self, sdp: bytes) -> None:
        """Have the call up with this description of ours."""
        raise NotImplementedError

    def ring(self) -> None:
        """Tell a caller that it rings; nothing where we call."""

    def reject(self, status: int, *, retry_after_s: int | None = None) -> None:
        """Let it come to nothing; does nothing once it is answered."""
        raise NotImplementedError

    def hang_up(self) -> bool:
        """BYE if answered and still up: then True. Before the ACK it is held back until that
        comes or 32 s have passed (RFC 3261 15). Harmless twice."""
        return bool(self._commands.order(self.dialog, lambda usage, now: usage.hang_up(now)))

    def abort(self) -> None:
        """500 (or CANCEL) before the final answer, BYE after it."""
        self._commands.order(self.dialog, lambda usage, now: usage.abort(now))

    async def ended_by_peer(self) -> DialogEnd:
        """Wait for BYE, CANCEL or the missing ACK; at once if that was before. Cancel-safe.

        Never returns for a call that we ended ourselves.
        """
        await self._ended.wait()
        if self.end is None:
            raise AssertionError("ended without a reason")
        return self.end

    async def transfer(self, target: str) -> int:
        """REFER: have the peer call that URI. Gives the status it told last; 491 where another
        one is under way, 408 where nothing was told in time."""
        if not self._commands.order(self.dialog, lambda usage, now: usage.refer(target, now)):
            return 491
        self._transfer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(TRANSFER_LIMIT_S):
                return await self._transfer
        except TimeoutError:
            return 408
        finally:
            self._transfer = None

    def tell_transfer(self, status: int) -> None:
        """NOTIFY how the call that the peer's REFER asked for goes."""
        self._commands.order(self.dialog, lambda usage, now: usage.referrals.tell(status, now))

    # For the user agent

    def take(self, event: Event) -> None:
        """Have the event do what it does to this call."""
        match event:
            case OfferReceived(_, body):
                self._offered(body)
            case AnswerReceived(_, body):
                self.media.agree(body)
            case CallConfirmed(_, body) if not self.body and not self.media.agree(body):
                # RFC 3261 13.2.2.4 wants an answer in the ACK; without one nobody can be heard
                self.hang_up()
                self.end_by_peer(DialogEnd.NO_MEDIA)
            case InfoReceived(_, content_type, body):
                self.inform(content_type, body)
            case ReferReceived(_, target):
                status = self.referred(target)
                self._commands.order(
                    self.dialog, lambda usage, now: usage.referrals.answer(status, now)
                )
            case TransferTold(_, status, True):
                self._told(status)

    def _offered(self, body: bytes) -> None:
        answer = None
        try:
            answer = self.media.renegotiate(body) if body else self.media.offer()
        finally:
            # whatever our own code did, the peer gets its answer and the call goes on
            self._commands.order(self.dialog, lambda usage, now: usage.answer_offer(answer, now))

    def _told(self, status: int) -> None:
        if self._transfer and not self._transfer.done():
            self._transfer.set_result(status)
        else:
            self.transferred_late(status)

    def end_by_peer(self, end: DialogEnd) -> None:
        """Say how it ended."""
        self.end = end
        self._ended.set()

    def let_go(self) -> None:
        """Let go of all that the call has put here: the dialog outlives it by 32 s."""
        self.media: Descriptions = Silent()
        """Who answers offers, from the answer of the call on."""
        self.inform: Callable[[str, bytes], None] = lambda _content_type, _body: None
        """Given Content-Type and body of each INFO; it has been answered 200."""
        self.referred: Callable[[str], int] = lambda _target: DECLINED
        """Given the target of a REFER of the peer gives the answer due: 202 or a refusal."""
        self.transferred_late: Callable[[int], object] = lambda _status: None
        """Given how a transfer went for which nobody waits any more."""
