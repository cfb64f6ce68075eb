"""A SIP peer that sends whatever it is told, and judges what comes back like the gate does."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from simulator.gate.judge import Violation
from simulator.gate.judge_response import judge_response
from simulator.gate.sip_socket import UdpSocket, open_udp
from simulator.gate.transaction import Watch
from simulator.gate.wire import Address, RawMessage, read

Changes = Mapping[str, str | None]
"""Header values by name, in place of the usual ones or besides them; None leaves one out."""

ANSWER_S = 2.0
SILENCE_S = 0.3

SDP = """v=0
o=- 1 1 IN IP4 {host}
s=-
c=IN IP4 {host}
t=0 0
m=audio {port} RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""
RTP_PORT = 40_000
"""Where the offers want RTP; nobody listens, for none of these calls is to be answered."""


class RawPeer:
    """One UDP socket towards the gateway, without any state of SIP."""

    def __init__(self, gateway: Address) -> None:
        self.gateway = gateway
        self.heard: list[RawMessage] = []
        "All that came, oldest first."
        self.violations: list[Violation] = []
        "What was wrong with the answers to `ask`."
        self._watch = Watch()
        self._number = 0
        self._socket: UdpSocket

    async def open(self, host: str) -> None:
        """Bind the socket."""
        self._socket = await open_udp(host, 0, self._received, None)

    async def close(self) -> None:
        """Close it and wait for that."""
        self._socket.close()
        await self._socket.closed()

    @property
    def own(self) -> Address:
        """Where it is bound."""
        return self._socket.address

    def offer(self, **changes: str) -> bytes:
        """An offer of PCMA and PCMU; a change is `old="new"` text of the SDP, names as in it."""
        text = SDP.format(host=self.own.host, port=RTP_PORT)
        for pattern, value in changes.items():
            text = text.replace(pattern, value)
        return text.replace("\n", "\r\n").encode()

    def request(
        self,
        method: str,
        changes: Changes | None = None,
        *,
        uri: str = "",
        version: str = "SIP/2.0",
        body: bytes = b"",
    ) -> bytes:
        """A request that is right but for the changes; each is a new one (branch, Call-ID, tag)."""
        self._number += 1
        own, number = self.own, self._number
        headers: dict[str, str | None] = {
            "Via": f"SIP/2.0/UDP {own};branch=z9hG4bKraw{number}x{own.port};rport",
            "Max-Forwards": "70",
            "From": f"<sip:raw@{own}>;tag=raw{number}",
            "To": f"<sip:1000@{self.gateway}>",
            "Call-ID": f"raw-{number}@{own}",
            "CSeq": f"1 {method}",
            "Contact": f"<sip:raw@{own}>",
            "Content-Type": "application/sdp" if body else None,
            "Content-Length": str(len(body)),
        }
        headers.update(changes or {})
        lines = [f"{method} {uri or f'sip:1000@{self.gateway}'} {version}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body

    def send(self, data: bytes) -> None:
        """Send it, and expect nothing."""
        self._socket.send(data, self.gateway)

    async def ask(self, data: bytes) -> RawMessage:
        """The final answer to a request, judged; a refused INVITE is acknowledged.

        AssertionError when none comes.
        """
        self.heard.clear()
        self.send(data)
        await self._watch.until(lambda: bool(self._finals()), ANSWER_S)
        assert self._finals(), f"no answer within {ANSWER_S} s to {data[:200]!r}"
        # A version that the reading does not know is still a request to be judged by.
        request, answer = read(data.replace(b" SIP/3.0\r", b" SIP/2.0\r")), self._finals()[0]
        self.violations += judge_response(request, answer, source=self.gateway, sent_from=self.own)
        if request.method == "INVITE" and answer.status >= 300:
            self.send(acknowledgement(data, answer))
        return answer

    async def statuses(self, requests: Mapping[str, bytes]) -> dict[str, int]:
        """What each request, by name, is answered."""
        return {name: (await self.ask(data)).status for name, data in requests.items()}

    async def answers(self, *datagrams: bytes) -> list[int]:
        """The statuses of all that comes within SILENCE_S after these."""
        self.heard.clear()
        for data in datagrams:
            self.send(data)
        await asyncio.sleep(SILENCE_S)
        return [message.status for message in self.heard]

    def check(self, *forgiven: str) -> None:
        """Raise an AssertionError with what was wrong with the answers, but for these rules."""
        found = [str(one) for one in self.violations if one.rule not in forgiven]
        assert not found, "\n".join(found)

    def _finals(self) -> list[RawMessage]:
        return [message for message in self.heard if message.status >= 200]

    def _received(self, _socket: UdpSocket, data: bytes, _source: Address) -> None:
        self.heard.append(read(data))
        self._watch.changed()


def acknowledgement(invite: bytes, answer: RawMessage) -> bytes:
    """RFC 3261 17.1.1.3: the ACK of a refusal is the INVITE's in all but method and To."""
    head = invite.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    head = re.sub(r"^INVITE ", "ACK ", head)
    head = re.sub(r"(?m)^(CSeq: *\S+) .*$", r"\1 ACK", head)
    head = re.sub(r"(?m)^To:.*$", f"To: {answer.get('to')}", head)
    head = re.sub(r"(?m)^Content-(Type|Encoding|Length):.*\r?\n?", "", head).rstrip("\r\n")
    return f"{head}\r\nContent-Length: 0\r\n\r\n".encode("utf-8", "surrogateescape")


@asynccontextmanager
async def raw_peer(gateway: tuple[str, int], host: str = "127.0.0.1") -> AsyncIterator[RawPeer]:
    """A peer for as long as the block runs."""
    peer = RawPeer(Address(*gateway))
    await peer.open(host)
    try:
        yield peer
    finally:
        await peer.close()
