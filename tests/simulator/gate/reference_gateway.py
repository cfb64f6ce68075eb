"""A small correct gateway for the tests of the gate: written from RFC 3261, sharing nothing.

A UAS that answers at once and sends stamps or the caller's own audio (echo) as RTP, every 20 ms.
Its one extra: `spoil` may change any message on its way out, to make one sin at a time.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, cast

import numpy as np

from simulator.audio.g711 import PCMA
from simulator.audio.sound import Sound, silence

Peer = tuple[str, int]
CONTACT = "Contact: <sip:gw@{}:{}>"


@dataclass
class Dialog:
    """One call of the reference gateway."""

    request: dict[str, list[str]]
    peer: Peer
    tag: str
    answer: bytes = b""
    acked: bool = False
    over: bool = False
    cseq: int = 1
    timer: asyncio.TimerHandle | None = None
    rtp: "Rtp | None" = None
    bye: asyncio.TimerHandle | None = None


@dataclass
class Rtp(asyncio.DatagramProtocol):
    """Sends a frame each 20 ms, by the clock."""

    peer: Peer
    sound: Sound
    echo: bool
    ssrc: int
    spoil: Callable[[int, bytes], list[bytes]]
    count: int = 0
    received: list[bytes] = field(default_factory=list)
    start: float = 0.0
    timer: asyncio.TimerHandle | None = None
    port: int = 0
    sent: int = 0
    paused: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.loop = asyncio.get_running_loop()
        self.port = transport.get_extra_info("sockname")[1]
        self.frames = self.sound.frames(200, 8000)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        self.received.append(data)

    def begin(self) -> None:
        self.start = self.loop.time()
        self.tick()

    def tick(self) -> None:
        if self.echo:
            payload = self.received.pop(0)[12:] if self.received else PCMA.silence()
        else:
            pcm = next(self.frames, np.zeros(160, dtype=np.int16))
            payload = PCMA.encode(pcm)
        if not self.paused:
            head = struct.pack("!BBHII", 0x80, 8, self.sent % 65536, self.count * 160, self.ssrc)
            for packet in self.spoil(self.count, head + payload):
                self.transport.sendto(packet, self.peer)
            self.sent += 1
        self.count += 1
        self.timer = self.loop.call_at(self.start + self.count * 0.02, self.tick)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.transport.close()


class ReferenceGateway(asyncio.DatagramProtocol):
    """`async with ReferenceGateway() as gateway:`; `gateway.address` is where to dial."""

    def __init__(self, *, say: Sound = silence, echo: bool = False, ring_s: float = 0.0) -> None:
        self.say, self.echo, self.ring_s = say, echo, ring_s
        self.refuse: bytes | None = None
        self.deaf = False
        self.dialogs: dict[str, Dialog] = {}
        self.methods: list[str] = []
        self.answered: dict[tuple[str, str], bytes] = {}
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.spoil_rtp: Callable[[int, bytes], list[bytes]] = lambda _n, packet: [packet]
        self.bye_statuses: list[int] = []
        self.offers: list[bytes] = []
        self.pending: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.transport = transport
        self.address: Peer = transport.get_extra_info("sockname")[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.pending:
            task.cancel()
        await asyncio.gather(*self.pending, return_exceptions=True)
        for dialog in self.dialogs.values():
            self.release(dialog)
            if dialog.bye is not None:
                dialog.bye.cancel()
        self.transport.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        text = data.decode("latin-1").replace("\r\n", "\n")
        head, _, body = text.partition("\n\n")
        first, *lines = head.replace("\n ", " ").split("\n")
        headers: dict[str, list[str]] = {"start": [first], "body": [body]}
        short = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}
        for line in lines:
            name, _, value = line.partition(":")
            key = short.get(name.strip().lower(), name.strip().lower())
            headers.setdefault(key, []).append(value.strip())
        method = first.split()[0]
        if first.startswith("SIP/2.0"):
            self.on_response(headers)
            return
        self.methods.append(method)
        key2 = (headers["via"][0], method)
        if self.deaf:
            return
        if key2 in self.answered:
            self.transport.sendto(self.answered[key2], addr)
        else:
            getattr(self, f"on_{method.lower()}", self.on_other)(headers, addr)

    def on_response(self, headers: dict[str, list[str]]) -> None:
        dialog = self.dialogs.get(headers["call-id"][0])
        self.bye_statuses.append(int(headers["start"][0].split()[1]))
        if dialog is not None and dialog.bye is not None:
            dialog.bye.cancel()

    def reply(self, headers: dict[str, list[str]], peer: Peer, line: str, tag: str = "",
              extra: str = "", body: str = "") -> bytes:  # fmt: skip
        """RFC 3261 8.2.6.2, RFC 3581 4."""
        top = headers["via"][0]
        if ";rport" in top:
            top = top.replace(";rport", f";received={peer[0]};rport={peer[1]}", 1)
        to = headers["to"][0]
        if "tag=" not in to and tag:
            to += f";tag={tag}"
        vias = "".join(f"Via: {via}\r\n" for via in [top, *headers["via"][1:]])
        routes = "".join(f"Record-Route: {r}\r\n" for r in headers.get("record-route", []))
        data = (
            f"SIP/2.0 {line}\r\n{vias}{routes}From: {headers['from'][0]}\r\nTo: {to}\r\n"
            f"Call-ID: {headers['call-id'][0]}\r\nCSeq: {headers['cseq'][0]}\r\n{extra}"
            f"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: \r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        spoiled = self.spoil(data.encode("latin-1"))
        self.answered[headers["via"][0], headers["cseq"][0].split()[1]] = spoiled
        if spoiled:
            self.transport.sendto(spoiled, peer)
        return spoiled

    def on_invite(self, headers: dict[str, list[str]], peer: Peer) -> None:
        call_id = headers["call-id"][0]
        if "tag=" in headers["to"][0]:
            known = self.dialogs[call_id]
            self.accept(headers, peer, known)
            return
        dialog = Dialog(headers, peer, f"gw{len(self.dialogs)}")
        self.dialogs[call_id] = dialog
        self.reply(headers, peer, "100 Trying")
        if self.refuse is not None:
            self.reply(headers, peer, self.refuse.decode(), dialog.tag, "Retry-After: 5\r\n")
            return
        self.reply(headers, peer, "180 Ringing", dialog.tag, CONTACT.format(*self.address) + "\r\n")
        dialog.timer = self.loop.call_later(self.ring_s, self.pick_up, dialog)

    def pick_up(self, dialog: Dialog) -> None:
        self.pending.append(self.loop.create_task(self.open_rtp(dialog)))

    async def open_rtp(self, dialog: Dialog) -> None:
        offer = dialog.request["body"][0]
        self.offers.append(offer.encode())
        port = int(offer.partition("m=audio ")[2].split()[0])
        _, rtp = await self.loop.create_datagram_endpoint(
            lambda: Rtp((dialog.peer[0], port), self.say, self.echo, 77, self.spoil_rtp),
            local_addr=("127.0.0.1", 0),
        )
        while rtp.port % 2:
            rtp.transport.close()
            _, rtp = await self.loop.create_datagram_endpoint(
                lambda: Rtp((dialog.peer[0], port), self.say, self.echo, 77, self.spoil_rtp),
                local_addr=("127.0.0.1", 0),
            )
        dialog.rtp = rtp
        dialog.answer = self.accept(dialog.request, dialog.peer, dialog)
        rtp.begin()
        self.resend(dialog, 0.5, self.loop.time() + 32)

    def accept(self, headers: dict[str, list[str]], peer: Peer, dialog: Dialog) -> bytes:
        assert dialog.rtp is not None
        body = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {dialog.rtp.port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )
        extra = CONTACT.format(*self.address) + "\r\nContent-Type: application/sdp\r\n"
        return self.reply(headers, peer, "200 OK", dialog.tag, extra, body)

    def resend(self, dialog: Dialog, wait_s: float, until: float) -> None:
        """RFC 3261 13.3.1.4."""
        if dialog.acked or dialog.over:
            return
        if self.loop.time() + wait_s > until:
            dialog.timer = self.loop.call_at(until, self.hang_up, dialog)
            return

        def again() -> None:
            if not dialog.acked and not dialog.over:
                self.transport.sendto(dialog.answer, dialog.peer)
                self.resend(dialog, min(2 * wait_s, 4.0), until)

        dialog.timer = self.loop.call_later(wait_s, again)

    def on_ack(self, headers: dict[str, list[str]], peer: Peer) -> None:
        self.dialogs[headers["call-id"][0]].acked = True

    def on_cancel(self, headers: dict[str, list[str]], peer: Peer) -> None:
        dialog = self.dialogs.get(headers["call-id"][0])
        if dialog is None:
            self.reply(headers, peer, "481 Call/Transaction Does Not Exist", "none")
            return
        self.reply(headers, peer, "200 OK", dialog.tag)
        if dialog.rtp is None:
            self.release(dialog)
            self.reply(dialog.request, peer, "487 Request Terminated", dialog.tag)

    def on_bye(self, headers: dict[str, list[str]], peer: Peer) -> None:
        dialog = self.dialogs.get(headers["call-id"][0])
        if dialog is None or dialog.over or f"tag={dialog.tag}" not in headers["to"][0]:
            self.reply(headers, peer, "481 Call/Transaction Does Not Exist", "none")
            return
        self.release(dialog)
        self.reply(headers, peer, "200 OK")

    def on_options(self, headers: dict[str, list[str]], peer: Peer) -> None:
        self.reply(headers, peer, "200 OK", "opt")

    def on_other(self, headers: dict[str, list[str]], peer: Peer) -> None:
        self.reply(headers, peer, "405 Method Not Allowed", "none")

    def bye(self, dialog: Dialog) -> bytes:
        """RFC 3261 12.2.1.1: From is us, To the caller, the number grows."""
        dialog.cseq += 1
        target = dialog.request["contact"][0].strip("<>")
        routes = "".join(f"Route: {r}\r\n" for r in dialog.request.get("record-route", []))
        return (
            f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address[0]}:{self.address[1]}"
            f";branch=z9hG4bKref{dialog.tag}{dialog.cseq}\r\n{routes}Max-Forwards: 70\r\n"
            f"From: {dialog.request['to'][0]};tag={dialog.tag}\r\n"
            f"To: {dialog.request['from'][0]}\r\n"
            f"Call-ID: {dialog.request['call-id'][0]}\r\nCSeq: {dialog.cseq} BYE\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode("latin-1")

    def hang_up(self, dialog: Dialog) -> None:
        """Send BYE, again each 0.5 s until it is answered."""
        self.send_bye(dialog, self.spoil(self.bye(dialog)), 0.5)
        self.release(dialog)

    def send_bye(self, dialog: Dialog, data: bytes, wait_s: float) -> None:
        self.transport.sendto(data, dialog.peer)
        if wait_s < 32:
            dialog.bye = self.loop.call_later(wait_s, self.send_bye, dialog, data, 2 * wait_s)

    def release(self, dialog: Dialog) -> None:
        dialog.over = True
        if dialog.timer is not None:
            dialog.timer.cancel()
        if dialog.rtp is not None and not dialog.rtp.transport.is_closing():
            dialog.rtp.stop()
