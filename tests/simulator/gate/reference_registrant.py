"""A small correct client that registers to a gate, written from RFC 3261 10 and RFC 7616."""

import asyncio
import hashlib
import re
from collections.abc import Callable

Peer = tuple[str, int]


class ReferenceRegistrant(asyncio.DatagramProtocol):
    """`status, head = await client.register(60)`; `spoil` may change what goes out."""

    def __init__(self, gate: Peer, password: str = "secret") -> None:
        self.gate, self.password = gate, password
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.cseq = 0
        self.uses, self.asked = 0, 401
        self.challenge: dict[str, str] = {}
        self.answer: asyncio.Future[str] | None = None

    async def __aenter__(self) -> "ReferenceRegistrant":
        self.loop = asyncio.get_running_loop()
        self.transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.address: Peer = self.transport.get_extra_info("sockname")[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.transport.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(data.decode())

    async def register(self, seconds: int, *, fresh: bool = True) -> tuple[int, str]:
        """REGISTER, with credentials when asked for them; the last status and head."""
        if fresh:
            self.challenge = {}
        status, head = await self.once(seconds)
        if status in (401, 407):
            field = re.search(r"-Authenticate: Digest ([^\r]*)", head)
            assert field is not None
            self.challenge = dict(re.findall(r'([\w-]+)="?([^",]*)"?', field.group(1)))
            self.uses, self.asked = 0, status
            status, head = await self.once(seconds)
        return status, head

    async def once(self, seconds: int) -> tuple[int, str]:
        self.cseq += 1
        host, port = self.address
        uri = f"sip:{self.gate[0]}:{self.gate[1]}"
        lines = self.credentials(uri) if self.challenge else ""
        text = (
            f"REGISTER {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKr{self.cseq}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:gw@{host}>;tag=r\r\nTo: <sip:gw@{host}>\r\n"
            f"Call-ID: reg@{host}\r\nCSeq: {self.cseq} REGISTER\r\n"
            f"Contact: <sip:gw@{host}:{port}>\r\nExpires: {seconds}\r\n{lines}"
            "Content-Length: 0\r\n\r\n"
        )
        self.answer = self.loop.create_future()
        self.transport.sendto(self.spoil(text.encode()), self.gate)
        head = await self.answer
        return int(head.split()[1]), head

    def credentials(self, uri: str) -> str:
        fields, self.uses = self.challenge, self.uses + 1
        kind = {"MD5": "md5", "SHA-256": "sha256"}[fields["algorithm"]]

        def digest(text: str) -> str:
            return hashlib.new(kind, text.encode()).hexdigest()

        secret = digest(f"gw:{fields['realm']}:{self.password}")
        middle = f"{fields['nonce']}:{self.uses:08x}:cc:auth"
        proof = digest(f"{secret}:{middle}:{digest(f'REGISTER:{uri}')}")
        name = "Authorization" if self.asked == 401 else "Proxy-Authorization"
        return (
            f'{name}: Digest username="gw", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
            f'uri="{uri}", response="{proof}", algorithm={fields["algorithm"]}, qop=auth, '
            f'nc={self.uses:08x}, cnonce="cc", opaque="{fields["opaque"]}"\r\n'
        )
