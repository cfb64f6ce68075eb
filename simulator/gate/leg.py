"""One leg of a call at the gate: what both directions share of its signalling, and its media.

Driven by datagrams and timers alone. Requests of the gateway inside the call are answered in
`in_dialog.py`; the verbs a person at the telephone has are in `party.py` and its children.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from .dialog import CallState, GateDialog, Side
from .judge import Findings
from .judge_call import CallJudge
from .media import CallMedia
from .profile import Profile
from .sdp import Sdp, judge_answer, judge_offer, read_sdp, refused_lines, settle
from .sip_socket import UdpSocket
from .transaction import ClientTransaction, Watch
from .wire import Address, RawMessage


@dataclass(frozen=True)
class Line:
    """What the gate lends to a call."""

    socket: UdpSocket
    "The SIP socket the call speaks through."

    gateway: Address
    "Whom it calls."

    first_hop: Address
    "Where the first request goes: the gateway, or the gate's own proxy."

    proxies: tuple[str, ...]
    "Record-Route values that proxy adds."

    track: Callable[[ClientTransaction, "CallLeg"], None]
    "Makes a transaction known, so that responses find it."

    begun: Callable[["CallLeg"], None]
    "Told when a call has its Call-ID, so that requests find it."

    ended: Callable[["CallLeg"], None]
    "Told once, when the call is over."

    last_heard: Callable[[], str]
    "What the gateway last said, for error texts."

    watch: Watch
    "Woken at every change."

    exact: bool
    "Virtual time: the judge allows no lateness."

    advice: Findings
    "What could be better, without being wrong."


def ignore(_transaction: ClientTransaction, _response: RawMessage) -> None:
    """Whoever waits for the answer looks at the transaction."""


class CallLeg:
    """The signalling of one call, and its media as far as the signalling decides about it."""

    own_side: Side = "caller"

    def __init__(
        self,
        line: Line,
        profile: Profile,
        source: random.Random,
        findings: Findings,
        *,
        dialog: GateDialog,
        identity: int,
        number: str,
    ) -> None:
        self.identity = identity
        self.number = number
        self.state = CallState.CALLING
        self.findings = findings
        self.ended_by: Side | None = None
        self.invited_at: float | None = None
        self.answered_at: float | None = None
        self.acked_at: float | None = None
        self.ended_at: float | None = None
        self.release_s: float | None = None
        self.final_status: int | None = None
        self.retry_after_s: int | None = None
        self.answer: Sdp | None = None
        """The gateway's newest session description."""
        self.reinvite_statuses: list[int] = []
        self._line = line
        self._profile = profile
        self._quirks = profile.quirks
        self._random = source
        self._loop = asyncio.get_running_loop()
        self._watch = line.watch
        self._dialog = dialog
        self.media = CallMedia(
            identity, profile.quirks, findings, source, self._watch.changed, exact=line.exact
        )
        self._judge = CallJudge(findings, exact=line.exact)
        self._own_sdp = b""
        self._sdp_version = 1
        self._direction = "sendrecv"
        self._bye: ClientTransaction | None = None

    @property
    def dialog(self) -> GateDialog:
        """Call-ID, tags, numbers and routes."""
        return self._dialog

    @property
    def is_up(self) -> bool:
        """Answered and not ended."""
        return self.state is CallState.UP

    @property
    def is_over(self) -> bool:
        """Ended or vanished."""
        return self.state in (CallState.ENDED, CallState.VANISHED)

    @property
    def is_settled(self) -> bool:
        """Over, and with nothing of its own left to be answered."""
        if self.state is CallState.VANISHED:
            return True
        return self.is_over and (self._bye is None or self._bye.done)

    @property
    def socket(self) -> UdpSocket:
        """The SIP socket it speaks through."""
        return self._line.socket

    def abandon(self) -> None:
        """Nobody waits for this call any more: end it in the way its state allows, at once."""
        raise NotImplementedError

    # --- sending ----------------------------------------------------------------------------

    def _start(
        self, data: bytes, on_response: Callable[[ClientTransaction, RawMessage], None]
    ) -> ClientTransaction:
        transaction = ClientTransaction(
            data, self._send, on_response, self._watch, self._line.proxies
        )
        self._line.track(transaction, self)
        transaction.start()
        return transaction

    def _send(self, data: bytes) -> None:
        if self.state is not CallState.VANISHED:
            known = self._dialog.target_address if self._dialog.facts.remote_tag else None
            self._line.socket.send(data, known or self._line.first_hop)

    def _request(
        self,
        method: str,
        body: bytes = b"",
        content_type: str = "",
        headers: tuple[str, ...] = (),
        on_response: Callable[[ClientTransaction, RawMessage], None] = ignore,
    ) -> ClientTransaction:
        data = self._dialog.request(method, body, content_type, headers)
        return self._start(data, on_response)

    def _send_bye(self) -> None:
        if self._bye is None:
            self._bye = self._request("BYE")
            self._end(self.own_side)

    def _end(self, by: Side) -> None:
        if self.is_over:
            return
        self.state = CallState.ENDED
        self.ended_by = by
        self.ended_at = self._loop.time()
        self.media.stop()
        self._stop_timers()
        self._line.ended(self)
        self._watch.changed()

    def _stop_timers(self) -> None:
        """What is planned for this call will not happen."""

    # --- offer and answer -------------------------------------------------------------------

    def _describe(
        self,
        direction: str | None = None,
        host: str | None = None,
        profile: Profile | None = None,
    ) -> bytes:
        """Our session description; RFC 3264 8: its version grows by one when it changes."""

        def written() -> bytes:
            return self._dialog.sdp(
                self.media.port,
                version=self._sdp_version,
                direction=direction or self._direction,
                host=host,
                profile=profile,
            )

        body = written()
        if self._own_sdp and body != self._own_sdp:
            self._sdp_version += 1
            body = written()
        self._own_sdp = body
        return body

    def _answer_came(self, offer: bytes, answer: bytes) -> None:
        """The gateway has answered our offer: judge it, and let the media follow."""
        asked, given = read_sdp(offer), read_sdp(answer)
        if asked.media:
            self.findings.add(*judge_answer(asked, given, self.answer))
        self.answer = given
        agreed = settle(asked, given, given.audio.codecs if given.audio else {})
        if agreed is not None:
            self.media.agree(agreed)

    def _answer_to(self, offer: bytes, *, judged: bool = False) -> bytes | None:
        """Our answer to an offer of the gateway, or None (488) when nothing in it is for us."""
        asked = read_sdp(offer)
        if not judged:
            self.findings.add(*judge_offer(asked, self.answer))
        audio = asked.audio
        known = list(audio.codecs.values()) if audio is not None else []
        common = tuple(codec for codec in self._quirks.codecs if codec in known)
        if audio is None or not common:
            return None
        event = audio.telephone_event if self._quirks.telephone_event is not None else None
        profile = self._profile.with_quirks(codecs=common, telephone_event=event)
        own = {
            "sendrecv": self._direction,
            "sendonly": "recvonly",
            "recvonly": "sendonly",
            "inactive": "inactive",
        }
        body = self._describe(own[audio.direction], profile=profile)
        return body + refused_lines(asked)

    def _agree(self, offer: bytes, answer: bytes, *, early: bool = False) -> None:
        """Our answer to the gateway's offer went out: the media follow it."""
        asked, given = read_sdp(offer), read_sdp(answer)
        self.answer = asked
        agreed = settle(given, asked, given.audio.codecs if given.audio else {})
        if agreed is not None and early:
            self.media.expect(agreed)
        elif agreed is not None:
            self.media.agree(agreed)
