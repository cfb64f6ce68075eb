"""What every part of one endpoint shares: its transactions, its randomness, its name."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from voicegate.sip.address import Address, Flow
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import Event
from voicegate.sip.headers import BRANCH_COOKIE
from voicegate.sip.layer import TransactionLayer
from voicegate.sip.message import Received, Response
from voicegate.sip.reply import respond_to


@dataclass(eq=False)
class UaCore:
    """The surroundings of a dialog's usages (RFC 3261 8: the UA core)."""

    layer: TransactionLayer
    random: random.Random
    """Tags, branches, first CSeq numbers and the 0 to 10 s of a Retry-After come from here."""
    product: str
    """For Server and User-Agent."""
    may_send_to: Callable[[str], bool]
    local_towards: Callable[[Address], Address | None]
    """Our address as that peer must see it; None for a transport or family we have not."""
    counters: Counter[str]
    session_expires_s: int = 1800
    """What we ask for in a call of ours (RFC 4028); 0 asks for no session timer."""
    events: deque[Event] = field(default_factory=deque)
    _secret: bytes = b""

    def __post_init__(self) -> None:
        self._secret = self.random.getrandbits(128).to_bytes(16, "big")

    def way_of(self, dialog: Dialog) -> Flow:
        """The way of our requests inside that dialog."""
        return dialog.next_hop(self.may_send_to, self.local_towards)

    def new_tag(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def new_call_id(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def new_branch(self) -> str:
        return f"{BRANCH_COOKIE}{self.random.getrandbits(96):024x}"

    def stateless_tag(self, got: Received) -> str:
        """RFC 3261 8.2.7: the same request gets the same tag, though nothing is remembered."""
        request = got.request
        known = [request.header(name) for name in ("From", "Call-ID", "CSeq")]
        text = "\n".join(str(value) for value in [request.via, *known])
        data = text.encode("utf-8", "surrogateescape")
        return hashlib.blake2s(data, key=self._secret, digest_size=8).hexdigest()

    def response(
        self,
        got: Received,
        status: int,
        *,
        tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        reason: str = "",
    ) -> Response:
        tag = tag or ("" if status == 100 else self.stateless_tag(got))
        return respond_to(
            got, status, tag=tag, server=self.product, headers=headers, body=body, reason=reason
        )

    def answer(
        self,
        got: Received,
        status: int,
        now: float,
        *,
        tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Answer a request other than INVITE once and for all its retransmissions."""
        self.layer.answer(got, self.response(got, status, tag=tag, headers=headers), now)

    def answer_stateless(
        self,
        got: Received,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        reason: str = "",
    ) -> None:
        """Answer and remember nothing (RFC 3261 8.2.7)."""
        response = self.response(got, status, headers=headers, reason=reason)
        self.layer.send(response, got.reply_flow)
