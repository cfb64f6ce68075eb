"""The callers' signalling: literal messages over one socket, good enough for a loopback."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import cast

from ci.bench.lines import HOST

ANSWER_WITHIN_S = 15.0
MEDIA = re.compile(r"^m=audio (\d+) ", re.MULTILINE)

REQUEST = (
    "{method} {target} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:bench@{host}:{port}>;tag=b{number}\r\n"
    "To: {to}\r\n"
    "Call-ID: {call_id}\r\n"
    "CSeq: {sequence} {method}\r\n"
    "Contact: <sip:bench@{host}:{port}>\r\n"
    "{kind}Content-Length: {length}\r\n"
    "\r\n"
    "{body}"
)
OFFER = (
    "v=0\r\n"
    "o=bench 1 1 IN IP4 {host}\r\n"
    "s=-\r\n"
    "c=IN IP4 {host}\r\n"
    "t=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=ptime:20\r\n"
    "a=sendrecv\r\n"
)


class CallFailed(Exception):
    """A call was refused, not answered in time, or ended by the gateway."""


@dataclass(frozen=True)
class Answered:
    """A call that is up."""

    number: int
    """Of the caller's calls."""
    call_id: str
    """Of the dialog."""
    to: str
    """The To header with the gateway's tag."""
    contact: str
    """Where requests of the dialog go."""
    media: tuple[str, int]
    """The gateway's RTP address."""
    at_s: float
    """When the 200 came, seconds of the wall clock."""
    setup_ms: float
    """From INVITE to 200."""


class Caller(asyncio.DatagramProtocol):
    """Makes calls to one gateway. Open it with `open_caller`."""

    def __init__(self, gateway: tuple[str, int]) -> None:
        self.ended_early = 0
        """Calls that the gateway ended, though nobody asked it to."""
        self._gateway = gateway
        self._waiting: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._numbers = 0
        self._run = f"{time.time_ns():x}"
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        text = data.decode("utf-8", errors="replace")
        if not text.startswith("SIP/2.0 "):
            self._take_request(text, addr)
            return
        if text[8] == "1":
            return
        method = header(text, "CSeq").split()[-1]
        waiting = self._waiting.pop((header(text, "Call-ID"), method), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(text)

    async def call(self, media_port: int) -> Answered:
        """Make a call whose RTP comes to that port. Raises CallFailed."""
        self._numbers += 1
        number = self._numbers
        call_id = f"{number}-{self._run}@bench"
        to = target = f"sip:bench@{self._gateway[0]}:{self._gateway[1]}"
        offer = OFFER.format(host=HOST, port=media_port)
        began_at = self._loop.time()
        text = await self._ask("INVITE", number, call_id, target, f"<{to}>", offer)
        setup_ms = (self._loop.time() - began_at) * 1000
        found = MEDIA.search(text)
        if not text.startswith("SIP/2.0 200 ") or found is None:
            raise CallFailed(text.partition("\r\n")[0])
        answered = Answered(
            number=number,
            call_id=call_id,
            to=header(text, "To"),
            contact=header(text, "Contact").partition("<")[2].partition(">")[0],
            media=(HOST, int(found.group(1))),
            at_s=time.time(),
            setup_ms=setup_ms,
        )
        self._send("ACK", number, call_id, answered.contact, answered.to, "")
        return answered

    async def hang_up(self, call: Answered) -> float:
        """End a call; give the ms from BYE to its 200. Raises CallFailed."""
        began_at = self._loop.time()
        await self._ask("BYE", call.number, call.call_id, call.contact, call.to, "")
        return (self._loop.time() - began_at) * 1000

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()

    async def _ask(
        self, method: str, number: int, call_id: str, target: str, to: str, body: str
    ) -> str:
        answer: asyncio.Future[str] = self._loop.create_future()
        self._waiting[call_id, method] = answer
        self._send(method, number, call_id, target, to, body)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer
        except TimeoutError:
            raise CallFailed(f"no final answer to {method}") from None
        finally:
            self._waiting.pop((call_id, method), None)

    def _send(
        self, method: str, number: int, call_id: str, target: str, to: str, body: str
    ) -> None:
        text = REQUEST.format(
            method=method,
            target=target,
            host=HOST,
            port=self._port,
            branch=f"{method}{number}{self._run}",
            number=number,
            to=to,
            call_id=call_id,
            sequence=2 if method == "BYE" else 1,
            kind="Content-Type: application/sdp\r\n" if body else "",
            length=len(body),
            body=body,
        )
        self._transport.sendto(text.encode(), self._gateway)

    def _take_request(self, text: str, source: tuple[str | int, ...]) -> None:
        if not text.startswith("BYE "):
            return
        self.ended_early += 1
        kept = ("via:", "from:", "to:", "call-id:", "cseq:")
        lines = [line for line in text.split("\r\n") if line.lower().startswith(kept)]
        answer = "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""])
        self._transport.sendto(answer.encode(), source)


async def open_caller(gateway: tuple[str, int]) -> Caller:
    """Open the socket that calls that gateway."""
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_datagram_endpoint(lambda: Caller(gateway), local_addr=(HOST, 0))
    return caller


def header(text: str, name: str) -> str:
    """Give the first header of that name; "" where there is none."""
    start = f"{name.lower()}:"
    for line in text.split("\r\n"):
        if line.lower().startswith(start):
            return line[len(start) :].strip()
    return ""
