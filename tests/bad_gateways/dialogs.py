"""One SIP dialog of the gateways in this folder, from the INVITE on (RFC 3261 12, 13, 15)."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bad_gateways.messages import ALLOW, Message, Peer, parse, peer_of, uri_in, write

if TYPE_CHECKING:
    from tests.bad_gateways.agent import Agent

T1_S, T2_S, GIVE_UP_S = 0.5, 4.0, 32.0
"""RFC 3261 17.1.1.1 and 64 * T1."""
AUDIT_S = 0.7
"""So long after the ACK the peer is asked once, by OPTIONS, whether the call stands."""


class Repeater:
    """Sends a datagram again and again, from T1 up to T2 apart, until stopped or 32 s are over."""

    def __init__(self, send: Callable[[], None], given_up: Callable[[], None]) -> None:
        self._send, self._given_up = send, given_up
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + GIVE_UP_S
        self._wait_s = T1_S
        send()
        self._timer = self._loop.call_later(self._wait_s, self._again)

    def _again(self) -> None:
        if self._loop.time() >= self._until - 1e-6:
            self._given_up()
            return
        self._send()
        self._wait_s = min(2 * self._wait_s, T2_S, self._until - self._loop.time())
        self._timer = self._loop.call_later(max(self._wait_s, 0.001), self._again)

    def stop(self) -> None:
        """Enough; harmless twice."""
        self._timer.cancel()


class Dialog:
    """One call as SIP sees it; the gate calls, we answer."""

    def __init__(self, agent: "Agent", invite: Message, source: Peer, tag: str, cseq: int) -> None:
        self.agent, self.invite, self.source, self.tag = agent, invite, source, tag
        self.cseq = cseq
        """The number of our next request."""
        self.state = "ringing"
        self.over = asyncio.Event()
        """By whomever."""
        self.answer_sdp: Callable[[bytes], bytes | None] = lambda _offer: None
        """Gives the answer to a re-INVITE, or None to refuse it."""
        self._final: Repeater | None = None
        self._audit: asyncio.TimerHandle | None = None
        self._requests: dict[str, Repeater] = {}
        self._acked = self._bye_due = False

    @property
    def key(self) -> tuple[str, str, str]:
        """RFC 3261 12: Call-ID, our tag, the peer's."""
        return self.invite.get("call-id"), self.tag, self.invite.tag("from")

    @property
    def to(self) -> tuple[str, str]:
        """To with our tag."""
        return "To", f"{self.invite.get('to')};tag={self.tag}"

    @property
    def contact(self) -> tuple[str, str]:
        """Where requests of this dialog come to."""
        host, port = self.agent.address
        return "Contact", f"<sip:gateway@{host}:{port}>"

    @property
    def target(self) -> str:
        """RFC 3261 12.1.1: the peer's Contact."""
        return uri_in(self.invite.get("contact"))

    def ring(self) -> None:
        """180, unless a final answer is out."""
        if self.state == "ringing":
            self.agent.respond(self.invite, self.source, 180, [self.to, self.contact])

    def answer(self, sdp: bytes) -> None:
        """200, sent again until the ACK comes (RFC 3261 13.3.1.4)."""
        if self.state == "ringing":
            self.state = "up"
            self._finish(200, [self.contact, ("Content-Type", "application/sdp")], sdp)

    def reject(self, status: int) -> None:
        """A refusal, sent again until its ACK comes (RFC 3261 17.2.1)."""
        if self.state == "ringing":
            self.state = "over"
            self.over.set()
            self._finish(status, [("Retry-After", "5")] if status == 503 else [])

    def _finish(self, status: int, more: list[tuple[str, str]], body: bytes = b"") -> None:
        headers = [self.to, ("Allow", ALLOW), ("Supported", ""), *more]
        data = self.agent.response(self.invite, self.source, status, headers, body)
        self._final = Repeater(lambda: self.agent.send(data, self.source), self._no_ack)

    def acknowledged(self) -> None:
        """The ACK came (or came again)."""
        if self._final is None or self._acked:
            return
        self._final.stop()
        self._acked = True
        if self._bye_due:
            self._request("BYE")
        elif self.state == "up":
            loop = asyncio.get_running_loop()
            self._audit = loop.call_later(AUDIT_S, self._request, "OPTIONS")

    def _no_ack(self) -> None:
        """RFC 3261 13.3.1.4: 32 s without ACK: a call that was answered is ended by BYE."""
        answered = self.state == "up" or self._bye_due
        self.ended_by_peer()
        if answered:
            self._request("BYE")

    def ended_by_peer(self) -> None:
        """BYE or 481 came, or no ACK: what is under way in this dialog is given up."""
        self.state, self._bye_due = "over", False
        self._quiet()
        self.over.set()

    def hang_up(self) -> None:
        """BYE if the call is up; held back until the ACK came (RFC 3261 15). Harmless twice."""
        if self.state != "up":
            return
        self.state = "over"
        self._bye_due = not self._acked
        if self._acked:
            self._quiet()
            self._request("BYE")
        self.over.set()

    def _quiet(self) -> None:
        for repeater in (*self._requests.values(), *([self._final] if self._final else [])):
            repeater.stop()
        self._requests.clear()
        self._final = None
        if self._audit is not None:
            self._audit.cancel()

    def _request(self, method: str) -> None:
        data = self.agent.gateway.write_request(self, method)
        sent = parse(data)
        routes = self.invite.all("record-route")
        peer = peer_of(uri_in(routes[0]) if routes else self.target, self.source)
        repeater = Repeater(lambda: self.agent.send(data, peer), lambda: None)
        self._requests[sent.branch if sent else ""] = repeater

    def responded(self, response: Message) -> None:
        """A response to a request of ours: it is not sent again after a final one."""
        repeater = self._requests.get(response.branch)
        if repeater is not None and response.status >= 200:
            repeater.stop()
            del self._requests[response.branch]
            # RFC 3261 12.2.1.2: 481 says that the peer knows no such dialog.
            if response.status == 481 and response.method != "BYE":
                self.ended_by_peer()

    @property
    def settled(self) -> bool:
        """Over, and nothing of ours waits for an answer or an ACK."""
        unsaid = self._requests or self._bye_due or (self._final is not None and not self._acked)
        return self.state == "over" and not unsaid

    def drop(self) -> None:
        """Stop everything: the process ends."""
        self._quiet()
        self.over.set()


def write_request(
    dialog: Dialog, method: str, number: int, from_and_to: tuple[str, str], branch: str
) -> bytes:
    """RFC 3261 12.2.1.1: a request inside the dialog."""
    host, port = dialog.agent.address
    headers = [("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch};rport")]
    headers += [("Route", route) for route in dialog.invite.all("record-route")]
    headers += [("Max-Forwards", "70"), ("From", from_and_to[0]), ("To", from_and_to[1])]
    headers += [("Call-ID", dialog.invite.get("call-id")), ("CSeq", f"{number} {method}")]
    return write(f"{method} {dialog.target} SIP/2.0", headers)
