"""The live page's stream, as a browser takes it or fails to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from simulator.audio.sound import speech
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import say
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.admin.live import VIEWERS_MAX
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

REQUEST = b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Browser:
    """One connection to the stream that reads only when it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._taken = b""

    async def read(self, seconds: float) -> list[dict[str, Any]]:
        """Take what comes within so long; give the pictures."""
        try:
            async with asyncio.timeout(seconds):
                while chunk := await self._loop.sock_recv(self._sock, 1 << 16):
                    self._taken += chunk
        except TimeoutError:
            pass
        lines = [line for line in self._taken.splitlines() if line.startswith(b"data: ")]
        return [json.loads(line.removeprefix(b"data: ")) for line in lines if line.endswith(b"}")]

    def close(self) -> None:
        """Go."""
        self._sock.close()


Open = Callable[[], Awaitable[Browser]]


@pytest.fixture
async def open_browser(gateway: Gateway) -> AsyncIterator[Open]:
    """Open the stream in one more browser, with room for little."""
    loop = asyncio.get_running_loop()
    assert gateway.admin_address
    port = gateway.admin_address.port
    async with AsyncExitStack() as owned:

        async def opened() -> Browser:
            sock = socket.socket()
            owned.callback(sock.close)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, REQUEST)
            return Browser(sock)

        yield opened


async def test_pictures_come_five_times_a_second_while_somebody_talks(
    open_browser: Open, gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say(speech(3.0), "Good day"))
    browser = await open_browser()
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        before = len(await browser.read(0.01))
        pictures = await browser.read(2.0)
    assert 8 <= len(pictures) - before <= 11
    [shown] = pictures[-1]["calls"]
    assert shown["speaks"] == ["model"]
    assert shown["transcript"] == [{"who": "model", "text": "Good day"}]
    levels = {picture["calls"][0]["levels"]["model"] for picture in pictures[before:]}
    assert len(levels) > 3


async def test_where_nothing_happens_little_is_sent(open_browser: Open) -> None:
    browser = await open_browser()
    assert len(await browser.read(14.0)) == 3


async def test_a_slow_browser_never_holds_a_call_back(
    open_browser: Open,
    gateway: Gateway,
    gate: SimulatedGate,
    gemini: FakeGemini,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One does not read at all: the call and the other browser notice nothing of it."""
    long_lines = "x" * 60_000  # so that the system's buffers are full at once
    monkeypatch.setattr("voicegate.admin.board.LINE_CHARS", len(long_lines))
    gemini.on_text(say(speech(20.0), long_lines))
    slow, quick = await open_browser(), await open_browser()
    async with gate.dial("1000") as call:
        await call.lasts(0.2)
        at_first = len(await quick.read(5.0))
        later = len(await quick.read(10.0))
        assert gateway.board.running[1].meter.model.sound_dbfs > -40
    assert call.heard.level_dbfs() > -40
    assert call.rtp.lost == 0
    assert call.rtp.longest_gap_s < 0.03
    assert 40 <= later - at_first <= 55
    seen = len(await slow.read(1.0))
    assert seen < 40
    assert gateway.board.browser_drops > 20


async def test_a_browser_that_goes_is_forgotten(
    open_browser: Open, gateway: Gateway, gate: SimulatedGate
) -> None:
    browser = await open_browser()
    await browser.read(1.0)
    assert gateway.board.viewers == 1
    browser.close()
    await asyncio.sleep(11.0)
    assert gateway.board.viewers == 0


async def test_there_is_room_for_so_many_browsers(open_browser: Open, gateway: Gateway) -> None:
    for _ in range(VIEWERS_MAX):
        await open_browser()
    one_more = await open_browser()
    assert await one_more.read(1.0) == []
    assert gateway.board.viewers == VIEWERS_MAX


async def test_the_end_of_the_gateway_waits_for_no_browser(
    open_browser: Open, gateway: Gateway, witness: Witness
) -> None:
    browser = await open_browser()
    await browser.read(1.0)
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    gateway.stop()
    [task] = [one for one in asyncio.all_tasks() if one.get_name() == "gateway"]
    await task
    assert loop.time() - began_at < 0.5
