"""A peer and an endpoint joined without a network: bytes and `now` in, bytes and events out."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterable, Iterator

import pytest

from voicegate.sip.address import Address, Flow
from voicegate.sip.digest import Guard
from voicegate.sip.endpoint import Endpoint
from voicegate.sip.events import CallReceived, DialogId, Event
from voicegate.sip.login import Login
from voicegate.sip.message import Request, Response, parse
from voicegate.sip.outbound import InvitePlan

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"

Message = Request | Response


def request(
    method: str = "INVITE",
    *,
    call: str = "call-1",
    cseq: int = 1,
    branch: str | None = None,
    to_tag: str = "",
    from_tag: str = "peer",
    uri: str = "sip:1000@127.0.0.1:5060",
    extra: Iterable[str] = (),
    body: bytes = b"",
    cseq_method: str | None = None,
) -> bytes:
    """A request as a plain peer sends it, headers literal."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5061;branch={branch or f'z9hG4bK-{call}-{cseq}-{method}'}",
        "Max-Forwards: 70",
        f'From: "Alice" <sip:100@127.0.0.1:5061>{f";tag={from_tag}" if from_tag else ""}',
        f"To: <sip:1000@127.0.0.1:5060>{f';tag={to_tag}' if to_tag else ''}",
        f"Call-ID: {call}",
        f"CSeq: {cseq} {cseq_method or method}",
        "Contact: <sip:100@127.0.0.1:5061>",
        *extra,
    ]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Rig:
    """An endpoint under test, the time it lives in, and a peer that talks to it."""

    peer = Address("127.0.0.1", 5061)
    local = Address("127.0.0.1", 5060)
    request = staticmethod(request)
    sdp = SDP

    def __init__(
        self,
        max_dialogs: int = 4096,
        max_transactions: int = 16_384,
        guard: Guard | None = None,
    ) -> None:
        self.now = 0.0
        self.is_ready = True
        self.allowed = ["127.0.0.1"]
        self.transports = ["udp"]
        self.endpoint = Endpoint(
            random=random.Random(7),
            product="voicegate/test",
            allow=lambda host: host in self.allowed,
            ready=lambda: self.is_ready,
            local_towards=self.local_towards,
            guard=guard,
            max_dialogs=max_dialogs,
            max_transactions=max_transactions,
        )

    def receive(self, data: bytes, source: Address | None = None) -> list[Message]:
        """Give it a datagram; what it sent at once."""
        self.endpoint.receive_datagram(data, source or self.peer, self.now, self.local)
        return self.sent()

    def local_towards(self, peer: Address) -> Address | None:
        """We listen on one address, by the transports the test says."""
        served = peer.transport in self.transports and ":" not in peer.host
        return self.local._replace(transport=peer.transport) if served else None

    def flows(self) -> list[tuple[Message, Flow]]:
        return [(parse(data), flow) for data, flow in self.endpoint.datagrams_to_send()]

    def addressed(self) -> list[tuple[Message, Address]]:
        return [(message, flow.peer) for message, flow in self.flows()]

    def sent(self) -> list[Message]:
        return [message for message, _ in self.addressed()]

    def events(self) -> list[Event]:
        taken = []
        while (event := self.endpoint.next_event()) is not None:
            taken.append(event)
        return taken

    def run(self, until: float) -> list[tuple[float, Message]]:
        """Let time pass; what was sent when."""
        seen = [(self.now, message) for message in self.sent()]
        while (due := self.endpoint.get_timer()) is not None and due <= until:
            self.now = max(due, self.now)
            self.endpoint.handle_timer(self.now)
            seen += [(round(self.now, 6), message) for message in self.sent()]
        self.now = until
        return seen

    def offered(self, call: str = "call-1", **fields: object) -> DialogId:
        """An INVITE has come; 100 has gone."""
        self.receive(request(call=call, body=SDP, **fields))  # type: ignore[arg-type]
        event = self.events()[-1]
        assert isinstance(event, CallReceived)
        return event.dialog

    def answered(self, call: str = "call-1", **fields: object) -> DialogId:
        """200 has gone, no ACK yet."""
        dialog = self.offered(call, **fields)
        self.endpoint.answer(dialog, SDP, self.now)
        self.sent()
        return dialog

    def confirmed(self, call: str = "call-1", **fields: object) -> DialogId:
        """The ACK has come too."""
        dialog = self.answered(call, **fields)
        self.receive(self.ack(dialog))
        self.events()
        return dialog

    @staticmethod
    def ack(dialog: DialogId, cseq: int = 1, branch: str | None = None) -> bytes:
        return request(
            "ACK", call=dialog.call_id, cseq=cseq, to_tag=dialog.local_tag, branch=branch
        )

    @staticmethod
    def within(
        dialog: DialogId,
        method: str,
        cseq: int = 2,
        branch: str | None = None,
        body: bytes = b"",
        extra: Iterable[str] = (),
    ) -> bytes:
        """A request of the peer inside the dialog."""
        return request(
            method,
            call=dialog.call_id,
            cseq=cseq,
            to_tag=dialog.local_tag,
            branch=branch,
            body=body,
            extra=extra,
        )

    @staticmethod
    def reply(
        message: Message,
        status: int,
        *,
        tag: str = "",
        body: bytes = b"",
        extra: Iterable[str] = (),
    ) -> bytes:
        """The peer's response to a request of ours; `tag` goes into its To."""
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        lines = [f"SIP/2.0 {status} Whatever"]
        for name, value in message.headers:
            if name in names:
                tagged = f"{value};tag={tag}" if tag and name == "To" else value
                lines.append(f"{name}: {tagged}")
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [*extra, f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def dialled(self, login: Login | None = None) -> tuple[DialogId, Request]:
        """Our INVITE has gone."""
        name = self.endpoint.call(self.plan(login), self.now)
        return name, self.our("INVITE")

    def plan(self, login: Login | None = None) -> InvitePlan:
        """A call of ours to the peer."""
        flow = Flow(self.local, self.peer)
        to, us, call_id = "200@127.0.0.1:5061", "gw@127.0.0.1:5060", self.endpoint.new_call_id()
        return InvitePlan(f"sip:{to}", f"sip:{us}", flow, SDP, call_id, login)

    def connected(self, *extra: str) -> tuple[DialogId, DialogId]:
        """Our call was answered: the name we know it by, and the name the peer's requests give."""
        name, invite = self.dialled()
        extra = ("Contact: <sip:200@127.0.0.1:5061>", *extra)
        self.receive(self.reply(invite, 200, tag="peer", body=SDP, extra=extra))
        self.events()
        return name, name._replace(remote_tag="peer")

    def our(self, method: str) -> Request:
        """The one request of ours that goes out now."""
        (message,) = [m for m in self.sent() if isinstance(m, Request)]
        assert message.method == method
        return message


def brief(messages: Iterable[Message]) -> list[str]:
    """Methods and status codes."""
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def small_rig() -> Rig:
    """One dialog, two transactions: full at once."""
    return Rig(max_dialogs=1, max_transactions=2)


@pytest.fixture
def guarded_rig() -> Rig:
    """One that lets strangers in who know the password of `gate`."""
    return Rig(guard=Guard({"gate": "secret"}, random.Random(8), realm="voicegate"))


@pytest.fixture
def calm() -> Iterator[None]:
    """Nothing is collected meanwhile: after a thousand tests that alone takes longer than any
    message may."""
    gc.disable()
    yield
    gc.enable()
