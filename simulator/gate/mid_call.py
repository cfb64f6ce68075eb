"""What a party does in the middle of a call: hold and resume, move its RTP, refresh, transfer."""

from typing import Literal

from .party import CallParty
from .session_timer import judge_timer_answer, session_timer
from .transaction import ClientTransaction
from .transfer import Transfer
from .wire import RawMessage

Hold = Literal["sendonly", "inactive", "zero"]
Offer = Literal["INVITE", "UPDATE"]

HELD_HOST = "0.0.0.0"


class MidCall(CallParty):
    """Offers in a call that is up; each verb gives the status of the gateway's final answer."""

    async def hold(
        self, how: Hold = "sendonly", by: Offer = "INVITE", within_s: float = 33.0
    ) -> int:
        """Put the gateway on hold: RFC 3264 8.4 in its two forms, or `zero`, RFC 2543's c=0.0.0.0.

        From the 200 on the gateway must be silent; on `inactive` and `zero` we are as well.
        """
        before = self._own_sdp, self._sdp_version, self._direction
        self._direction = "sendrecv" if how == "zero" else how
        sdp = self._describe(host=HELD_HOST if how == "zero" else None)
        status = await self._offer_again(sdp, by, within_s)
        if status >= 300:
            # RFC 3261 14.1: then all is as if it had never been asked for.
            self._own_sdp, self._sdp_version, self._direction = before
        return status

    async def resume(self, by: Offer = "INVITE", within_s: float = 33.0) -> int:
        """End the hold: both speak again."""
        self._direction = "sendrecv"
        return await self._offer_again(self._describe(), by, within_s)

    async def reinvite(
        self, sdp: bytes | None = None, *, direction: str | None = None, within_s: float = 33.0
    ) -> int:
        """Send a re-INVITE: the same SDP, the given one (b"" for none), or ours so directed.

        Gives the final status.
        """
        if sdp is None:
            sdp = self._describe(direction) if direction is not None else self._own_sdp
        return await self._offer_again(sdp, "INVITE", within_s)

    async def update(
        self, sdp: bytes = b"", *, direction: str | None = None, within_s: float = 33.0
    ) -> int:
        """Send UPDATE (RFC 3311): with no offer, which only refreshes, with this one or ours."""
        if direction is not None:
            sdp = self._describe(direction)
        return await self._offer_again(sdp, "UPDATE", within_s)

    async def move_rtp(self, *, announce: bool = True, within_s: float = 33.0) -> int:
        """Go on from another RTP port: told by re-INVITE, or silently as a NAT does it.

        Gives the status of the re-INVITE, 0 where there was none. What comes to the old port after
        the announcement is judged; without one the gateway may follow or not (`media.came_to`).
        """
        await self.media.move()
        if not announce:
            return 0
        status = await self._offer_again(self._describe(), "INVITE", within_s)
        if status < 300:
            self.media.left_behind()
        return status

    async def refresh(self, by: Offer = "UPDATE", within_s: float = 33.0) -> int:
        """Refresh the session (RFC 4028 7.4): nothing changes but the clock."""
        sdp = self._own_sdp if by == "INVITE" else b""
        return await self._offer_again(sdp, by, within_s, self._refresh_lines())

    async def refer(self, target: str, within_s: float = 33.0) -> Transfer:
        """Send REFER: the gateway shall call `target` (a SIP URI). Gives the transfer, answered.

        `await call.transferred(transfer)` waits for its outcome.
        """
        lines = (f"Refer-To: <{target}>", f"Referred-By: <{self._dialog.facts.local_uri}>")
        transfer = Transfer(self._request("REFER", headers=lines), self.findings)
        self.transfers.append(transfer)
        await self._status_of(transfer.refer, within_s)
        return transfer

    async def transferred(self, transfer: Transfer, within_s: float = 60.0) -> int:
        """Wait for the last NOTIFY; gives the status it told."""
        await self._due(lambda: transfer.over or self.is_over, within_s, "not transferred")
        return transfer.outcome or 0

    async def referred(self, within_s: float = 30.0) -> str:
        """Wait for a REFER of the gateway; gives its Refer-To."""
        await self._due(lambda: bool(self.refers), within_s, "not referred")
        return self.refers[-1]

    def _refresh_lines(self) -> tuple[str, ...]:
        timer = self.session_timer
        if timer is None:
            return ()
        # RFC 4028 7.4: who sends the refresh is its uac.
        return (f"Session-Expires: {timer.expires_s};refresher=uac",)

    async def _offer_again(
        self, sdp: bytes, by: Offer, within_s: float, headers: tuple[str, ...] = ()
    ) -> int:
        self._offering = True
        try:
            if by == "INVITE":
                transaction = self._send_reinvite(sdp, headers)
            else:
                kind = "application/sdp"
                transaction = self._request("UPDATE", sdp, kind, headers, self._on_update_answer)
            return await self._status_of(transaction, within_s)
        finally:
            self._offering = False

    def _send_reinvite(self, sdp: bytes, headers: tuple[str, ...] = ()) -> ClientTransaction:
        data = self._dialog.reinvite(sdp, headers)
        return self._start(data, self._on_reinvite_answer)

    def _on_reinvite_answer(self, transaction: ClientTransaction, response: RawMessage) -> None:
        if response.status < 200:
            return
        first = len(transaction.finals_at) == 1
        if response.status >= 300:
            self._send(self._dialog.ack_refusal(transaction.request, response))
        else:
            self._send(self._dialog.ack(response, self._answer_in_ack(transaction, response)))
        if not first:
            return
        self.reinvite_statuses.append(response.status)
        if response.status < 300:
            self._dialog.refresh_target(response)
            self._offer_answered(transaction, response)

    def _answer_in_ack(self, transaction: ClientTransaction, response: RawMessage) -> bytes:
        """RFC 3261 14.1: a re-INVITE without an offer gets one in the 2xx, answered in the ACK."""
        if transaction.request.body or not response.body:
            return b""
        if len(transaction.finals_at) > 1:
            return self._own_sdp
        body = self._answer_to(response.body) or b""
        self._agree(response.body, body)
        return body

    def _on_update_answer(self, transaction: ClientTransaction, response: RawMessage) -> None:
        if 200 <= response.status < 300 and len(transaction.finals_at) == 1:
            self._dialog.refresh_target(response)
            self._offer_answered(transaction, response)

    def _offer_answered(self, transaction: ClientTransaction, response: RawMessage) -> None:
        self.findings.add(*judge_timer_answer(transaction.request, response))
        self.session_timer = session_timer(response) or self.session_timer
        if response.body and transaction.request.body:
            self._answer_came(transaction.request.body, response.body)
