"""Blind transfer (RFC 3515): a REFER of the peer's, one of ours, and the NOTIFYs of both."""

from __future__ import annotations

import re
from collections.abc import Callable

from voicegate.sip.core import UaCore
from voicegate.sip.dialog import Dialog
from voicegate.sip.events import DialogId, ReferReceived, TransferTold
from voicegate.sip.headers import NameAddr, SipUri
from voicegate.sip.message import Headers, Received, Request, Response
from voicegate.sip.reply import reason_of
from voicegate.sip.transaction import Transaction

_STATUS_LINE = re.compile(rb"\s*SIP/2\.0[ \t]+([1-6][0-9][0-9])\b")
_FRAGMENT = ("Content-Type", "message/sipfrag;version=2.0")


class Referrals:
    """The transfers of one dialog: at most one of each side at a time."""

    def __init__(
        self, core: UaCore, name: DialogId, dialog: Dialog, on_lost: Callable[[float], None]
    ) -> None:
        self._core = core
        self._name = name
        self._dialog = dialog
        self._on_lost = on_lost
        self._asked: tuple[Received, Transaction] | None = None
        self._telling: int | None = None
        self._waiting: int | None = None

    # Theirs

    def receive(self, got: Received, now: float) -> None:
        """A REFER of the peer: what becomes of it, our user says."""
        values = got.request.listed("Refer-To")
        target = _target_of(values[0]) if len(values) == 1 else None
        if target is None:
            # RFC 3515 2.4.2: exactly one Refer-To
            self._core.answer(got, 400, now, tag=self._dialog.id.local_tag)
        elif self._asked is not None or self._telling is not None or self._core.layer.is_full:
            self._core.answer(got, 491, now, tag=self._dialog.id.local_tag)
        else:
            self._asked = (got, self._core.layer.serve(got, now))
            self._core.events.append(ReferReceived(self._name, target))

    def answer(self, status: int, now: float) -> None:
        """Answer it: 202 and a first NOTIFY, or a refusal."""
        if self._asked is None:
            return
        (got, transaction), self._asked = self._asked, None
        headers = (self._dialog.contact,) if status < 300 else ()
        response = self._core.response(got, status, tag=self._dialog.id.local_tag, headers=headers)
        self._core.layer.respond(transaction, response, now)
        if status < 300:
            self._telling = got.request.cseq.number
            # RFC 3515 2.4.4: one NOTIFY at once, whatever is known by then
            self.tell(100, now)

    def tell(self, status: int, now: float) -> None:
        """NOTIFY how the new call goes; a final status ends the telling."""
        if self._telling is None:
            return
        is_over = status >= 200
        state = "terminated;reason=noresource" if is_over else "active;expires=120"
        # RFC 3515 2.4.6: the id is the CSeq of the REFER
        event = f"refer;id={self._telling}"
        headers = (("Event", event), ("Subscription-State", state), _FRAGMENT)
        body = f"SIP/2.0 {status} {reason_of(status)}\r\n".encode()
        self._send("NOTIFY", headers, now, self._told, body)
        if is_over:
            self._telling = None

    def _told(self, response: Response | None, _now: float) -> None:
        # RFC 6665 4.2.2: who wants no more NOTIFYs says 481
        if response is None or response.status >= 300:
            self._telling = None

    # Ours

    def refer(self, target: str, now: float) -> bool:
        """Send REFER: the peer shall call that URI. False while another one is under way."""
        if self._waiting is not None:
            return False
        headers = (("Refer-To", f"<{target}>"), ("Referred-By", f"<{self._dialog.local_uri}>"))
        request = self._send("REFER", headers, now, self._referred)
        self._waiting = request.cseq.number
        return True

    def _referred(self, response: Response | None, now: float) -> None:
        if response is not None and response.status < 300:
            return
        status = 408 if response is None else response.status
        self._tell_user(status, is_over=True)
        if status == 481:
            self._on_lost(now)

    def receive_notify(self, got: Received, now: float) -> None:
        """A NOTIFY: RFC 6665 4.1.3 has one without a subscription answered 481."""
        event = (got.request.header("Event") or "").partition(";")[0]
        if event.strip().lower() != "refer" or self._waiting is None:
            self._core.answer(got, 481, now, tag=self._dialog.id.local_tag)
            return
        self._core.answer(got, 200, now, tag=self._dialog.id.local_tag)
        told = _STATUS_LINE.match(got.request.body)
        status = int(told[1]) if told else 100
        state = (got.request.header("Subscription-State") or "").partition(";")[0]
        is_over = status >= 200 or state.strip().lower() == "terminated"
        self._tell_user(status, is_over=is_over)

    def _tell_user(self, status: int, *, is_over: bool) -> None:
        if self._waiting is None:
            return
        if is_over:
            self._waiting = None
        self._core.events.append(TransferTold(self._name, status, is_over))

    # Both

    def stop(self, now: float) -> None:
        """The dialog ends: a REFER that nobody has answered yet is."""
        self.answer(487, now)
        self._telling = None
        self._waiting = None

    def _send(
        self,
        method: str,
        headers: Headers,
        now: float,
        on_result: Callable[[Response | None, float], None],
        body: bytes = b"",
    ) -> Request:
        core, contact = self._core, self._dialog.contact
        request = self._dialog.request(
            method,
            branch=core.new_branch(),
            product=core.product,
            headers=(contact, *headers),
            body=body,
        )
        core.layer.start(request, core.way_of(self._dialog), now, on_result)
        return request


def _target_of(value: str) -> str | None:
    """The SIP URI of a Refer-To; what follows a `?` would become headers of ours: left out."""
    try:
        uri = NameAddr.parse(value).uri.partition("?")[0]
        SipUri.parse(uri)
    except ValueError:
        return None
    return uri
