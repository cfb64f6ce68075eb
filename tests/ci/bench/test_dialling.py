"""The callers' signalling, against a far end of a few lines."""

import asyncio
from typing import cast

import pytest

from ci.bench.dialling import CallFailed, header, open_caller
from ci.bench.lines import HOST


class FarEnd(asyncio.DatagramProtocol):
    """Answers INVITE with `status` and BYE with 200; keeps what came."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.requests: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        text = data.decode()
        self.requests.append(text)
        if text.startswith("INVITE"):
            self.answer(text, "180 Ringing", addr)
            self.answer(text, self.status, addr)
        elif text.startswith("BYE"):
            self.answer(text, "200 OK", addr)

    def answer(self, request: str, status: str, addr: tuple[str | int, ...]) -> None:
        lines = [f"SIP/2.0 {status}"]
        lines += [f"{name}: {header(request, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        lines += [f"To: {header(request, 'To')};tag=far", "Contact: <sip:far@127.0.0.1:9>"]
        body = "v=0\r\nm=audio 4002 RTP/AVP 8\r\n"
        self.transport.sendto("\r\n".join([*lines, "", body]).encode(), addr)


async def test_a_call_is_made_acknowledged_and_ended_in_its_dialog() -> None:
    loop = asyncio.get_running_loop()
    transport, far = await loop.create_datagram_endpoint(FarEnd, local_addr=(HOST, 0))
    caller = await open_caller(transport.get_extra_info("sockname"))

    call = await caller.call(5000)
    await caller.hang_up(call)

    caller.close()
    transport.close()
    assert call.media == (HOST, 4002)
    assert [text.split()[0] for text in far.requests] == ["INVITE", "ACK", "BYE"]
    assert "m=audio 5000 " in far.requests[0]
    for request in far.requests[1:]:
        assert request.split()[1] == "sip:far@127.0.0.1:9"
        assert header(request, "To").endswith(";tag=far")
        assert header(request, "Call-ID") == header(far.requests[0], "Call-ID")


async def test_a_refusal_fails_the_call() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: FarEnd("503 Service Unavailable"), local_addr=(HOST, 0)
    )
    caller = await open_caller(transport.get_extra_info("sockname"))

    with pytest.raises(CallFailed, match="503"):
        await caller.call(5000)

    caller.close()
    transport.close()
