"""A small correct caller (UAC) for the tests of the gate's other role, written from RFC 3261.

`spoil` may change any message on its way out, to make one sin at a time.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.audio.sound import Sound, silence
from tests.simulator.gate.reference_gateway import Peer, Rtp

Headers = dict[str, list[str]]


@dataclass
class Placed:
    """One call of the reference caller."""

    call_id: str
    invite: str = ""
    cseq: int = 1
    to_tag: str = ""
    target: str = ""
    routes: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    bye_statuses: list[int] = field(default_factory=list)
    final: int = 0
    acks: int = 0
    over: bool = False
    early: bool = False
    auth: str = ""
    rtp: Rtp | None = None
    resend: asyncio.TimerHandle | None = None


def read(data: bytes) -> Headers:
    head, _, body = data.decode("latin-1").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: Headers = {"start": [first], "body": [body]}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers


class ReferenceCaller(asyncio.DatagramProtocol):
    """`async with ReferenceCaller(gate.address) as caller: placed = await caller.call("5")`."""

    def __init__(self, gate: Peer, *, say: Sound = silence, offer: bool = True) -> None:
        self.gate, self.say, self.offer = gate, say, offer
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.placed: dict[str, Placed] = {}
        self.password = ""
        self.wrong_retry = 0
        self.lines = ""
        self.spoil_rtp: Callable[[int, bytes], list[bytes]] = lambda _n, packet: [packet]

    async def __aenter__(self) -> "ReferenceCaller":
        self.loop = asyncio.get_running_loop()
        self.transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.address: Peer = self.transport.get_extra_info("sockname")[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        for placed in self.placed.values():
            self.release(placed)
        self.transport.close()
        await asyncio.sleep(0)

    def release(self, placed: Placed) -> None:
        placed.over = True
        if placed.resend is not None:
            placed.resend.cancel()
        if placed.rtp is not None and not placed.rtp.transport.is_closing():
            placed.rtp.stop()

    async def call(self, number: str = "5550", target: Peer | None = None) -> Placed:
        """Send INVITE; what comes back moves it on."""
        placed = Placed(f"ref{len(self.placed)}@caller")
        self.placed[placed.call_id] = placed
        placed.rtp = await self.open_rtp()
        host, port = target or self.gate
        placed.target = f"sip:{number}@{host}:{port}"
        self.send_invite(placed)
        return placed

    async def open_rtp(self) -> Rtp:
        while True:
            _, rtp = await self.loop.create_datagram_endpoint(
                lambda: Rtp(("", 0), self.say, False, 9, self.spoil_rtp),
                local_addr=("127.0.0.1", 0),
            )
            if rtp.port % 2 == 0:
                return rtp
            rtp.transport.close()

    def sdp(self, placed: Placed) -> str:
        assert placed.rtp is not None
        return (
            "v=0\r\no=- 5 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {placed.rtp.port} RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:96 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    def send_invite(self, placed: Placed) -> None:
        body = self.sdp(placed) if self.offer else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        placed.invite = self.message(placed, "INVITE", kind + self.lines, body)
        self.send(placed.invite)
        self.again(placed, 0.5)

    def again(self, placed: Placed, wait_s: float) -> None:
        """RFC 3261 17.1.1.2 timer A."""
        if wait_s < 32 and not placed.statuses and not placed.over:
            placed.resend = self.loop.call_later(wait_s, self.resend, placed, wait_s)

    def resend(self, placed: Placed, wait_s: float) -> None:
        if not placed.statuses:
            self.send(placed.invite)
            self.again(placed, 2 * wait_s)

    def message(
        self, placed: Placed, method: str, lines: str = "", body: str = "", branch: str = ""
    ) -> str:
        """RFC 3261 8.1.1 and 12.2.1.1."""
        host, port = self.address
        name = placed.call_id.partition("@")[0]
        own = branch or f"z9hG4bK{name}{method}{placed.cseq}{placed.acks}"
        uri = placed.invite.split(" ")[1] if branch else placed.target
        tag = f";tag={placed.to_tag}" if placed.to_tag else ""
        to = placed.invite.partition("\r\nTo: ")[2].partition("\r\n")[0].partition(";tag")[0]
        routes = "".join(f"Route: {route}\r\n" for route in placed.routes if not branch)
        auth = placed.auth if method in ("INVITE", "ACK") else ""
        return (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch={own}\r\n{routes}"
            f"Max-Forwards: 70\r\nFrom: <sip:gw@{host}:{port}>;tag=ref\r\n"
            f"To: {to or f'<{placed.target}>'}{tag}\r\nCall-ID: {placed.call_id}\r\n"
            f"CSeq: {placed.cseq} {method}\r\nContact: <sip:gw@{host}:{port}>\r\n{auth}"
            f"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: timer\r\n{lines}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def send(self, text: str) -> None:
        data = self.spoil(text.encode("latin-1"))
        routes = re.search(r"Route: <sip:127.0.0.1:(\d+)", text)
        target = re.search(r"^\w+ sip:[^ ]*?127.0.0.1:(\d+)", text)
        found = routes if routes and "Record-Route" not in text else target
        port = int(found.group(1)) if found else self.gate[1]
        if data:
            self.transport.sendto(data, ("127.0.0.1", port))

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        headers = read(data)
        placed = self.placed.get(headers["call-id"][0])
        if placed is None:
            return
        if headers["start"][0].startswith("SIP/2.0"):
            status, method = int(headers["start"][0].split()[1]), headers["cseq"][0].split()[1]
            if method == "INVITE":
                self.on_answer(placed, headers, status)
            elif method == "BYE":
                placed.bye_statuses.append(status)
        else:
            self.on_request(placed, headers, addr)

    def on_request(self, placed: Placed, headers: Headers, addr: Peer) -> None:
        method = headers["start"][0].split()[0]
        if method == "ACK":
            return
        vias = "".join(f"Via: {via}\r\n" for via in headers["via"]).replace(
            ";rport", f";received={addr[0]};rport={addr[1]}", 1
        )
        copied = "".join(f"{n.title()}: {headers[n][0]}\r\n" for n in ("from", "to", "call-id"))
        text = (
            f"SIP/2.0 200 OK\r\n{vias}{copied}CSeq: {headers['cseq'][0]}\r\n"
            "Allow: INVITE, BYE\r\nSupported: \r\nContent-Length: 0\r\n\r\n"
        )
        self.transport.sendto(self.spoil(text.encode("latin-1")), addr)
        if method == "BYE":
            self.release(placed)

    def on_answer(self, placed: Placed, headers: Headers, status: int) -> None:
        placed.statuses.append(status)
        if status < 200:
            if headers["body"][0] and placed.rtp is not None:
                self.listen(placed, headers["body"][0])
            return
        placed.to_tag = headers["to"][0].partition("tag=")[2]
        if status >= 300:
            branch = headers["via"][0].partition("branch=")[2].split(";")[0]
            self.send(self.message(placed, "ACK", branch=branch))
            self.on_refused(placed, headers, status)
            return
        routes = [r.strip() for line in headers.get("record-route", []) for r in line.split(",")]
        placed.routes = routes[::-1]
        placed.target = headers["contact"][0].strip("<>")
        body = self.sdp(placed) if not self.offer else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.send(self.message(placed, "ACK", kind, body))
        placed.acks += 1
        if not placed.final:
            placed.final = status
            self.listen(placed, headers["body"][0])

    def on_refused(self, placed: Placed, headers: Headers, status: int) -> None:
        placed.to_tag = ""
        if status in (401, 407) and self.password and not placed.auth:
            placed.auth = self.answer(headers, status, placed)
            placed.cseq += 1 + self.wrong_retry
            placed.statuses.clear()
            self.send_invite(placed)
            return
        placed.final = status
        self.release(placed)

    def answer(self, headers: Headers, status: int, placed: Placed) -> str:
        """RFC 7616 3.4.1 for the first challenge."""
        names = ("www-authenticate", "Authorization")
        if status == 407:
            names = ("proxy-authenticate", "Proxy-Authorization")
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', headers[names[0]][0].partition(" ")[2]))
        kind = "md5" if fields["algorithm"] == "MD5" else "sha256"

        def digest(text: str) -> str:
            return hashlib.new(kind, text.encode()).hexdigest()

        secret = digest(f"gw:{fields['realm']}:{self.password}")
        asked = digest(f"INVITE:{placed.target}")
        proof = digest(f"{secret}:{fields['nonce']}:00000001:cc:auth:{asked}")
        return (
            f'{names[1]}: Digest username="gw", realm="{fields["realm"]}", '
            f'nonce="{fields["nonce"]}", uri="{placed.target}", response="{proof}", '
            f'algorithm={fields["algorithm"]}, qop=auth, nc=00000001, cnonce="cc", '
            f'opaque="{fields["opaque"]}"\r\n'
        )

    def listen(self, placed: Placed, body: str) -> None:
        assert placed.rtp is not None
        placed.rtp.peer = ("127.0.0.1", int(body.partition("m=audio ")[2].split()[0]))
        if placed.rtp.timer is None:
            placed.rtp.begin()

    def cancel(self, placed: Placed) -> None:
        """RFC 3261 9.1."""
        branch = placed.invite.partition("branch=")[2].partition("\r\n")[0]
        text = self.message(placed, "CANCEL", branch=branch)
        text = re.sub(r"(To: [^\r]*);tag=[^\r;]*", r"\1", text)
        self.send(re.sub(r"Contact: [^\r]*\r\n", "", text))

    def bye(self, placed: Placed) -> None:
        placed.cseq += 1
        self.send(self.message(placed, "BYE"))
        self.release(placed)
