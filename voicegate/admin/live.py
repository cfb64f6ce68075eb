"""The live page's stream: each browser gets the newest picture, as often as it can take one.

A browser's queue has one place, and the newest picture is always in it: a slow browser misses
pictures, which are counted, and holds nobody up. While nobody looks nothing is computed.
"""

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

PERIOD_S = 0.2
ALIVE_S = 5.0
"""Where nothing changes a picture is sent so often all the same: a browser that went is noticed."""
VIEWERS_MAX = 20
SEND_BUFFER_BYTES = 1 << 16
"""The system holds back megabytes for a slow browser unless told: pictures of half a minute ago."""
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class Live:
    """Paints one picture for all browsers."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._loop = asyncio.get_running_loop()
        self._painted_at = float("-inf")
        self._picture = b""
        self._streams: dict[asyncio.Task[Any], None] = {}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send pictures to one browser until it goes or the gateway ends."""
        task = asyncio.current_task()
        if task is None or len(self._streams) >= VIEWERS_MAX:
            raise web.HTTPServiceUnavailable(text="enough browsers are looking")
        self._streams[task] = None
        self._gateway.board.viewers += 1
        response = web.StreamResponse(headers=HEADERS)
        try:
            _keep_short(request)
            await response.prepare(request)
            await self._send_pictures(response)
        except ConnectionError:
            pass  # the browser went
        finally:
            self._gateway.board.viewers -= 1
            del self._streams[task]
        return response

    async def end(self, _app: web.Application) -> None:
        """Let every browser go: the end of the gateway waits for none."""
        for task in self._streams:
            task.cancel()

    async def _send_pictures(self, response: web.StreamResponse) -> None:
        sent, sent_at = b"", float("-inf")
        while True:
            picture, began_at = self._paint(), self._loop.time()
            if picture != sent or began_at - sent_at >= ALIVE_S:
                await response.write(b"data: " + picture + b"\n\n")
                sent, sent_at = picture, self._loop.time()
                self._gateway.board.browser_drops += int((sent_at - began_at) / PERIOD_S)
            await asyncio.sleep(PERIOD_S)

    def _paint(self) -> bytes:
        """Give the picture of now, at most PERIOD_S old: painted once for all browsers."""
        now = self._loop.time()
        if now - self._painted_at >= PERIOD_S * 0.9:
            self._picture, self._painted_at = json.dumps(picture(self._gateway)).encode(), now
        return self._picture


def _keep_short(request: web.Request) -> None:
    sock = request.transport.get_extra_info("socket") if request.transport else None
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def picture(gateway: "Gateway") -> dict[str, Any]:
    """Give all that the live page shows, the history left out."""
    board = gateway.board
    return {
        "taking_calls": gateway.takes_calls,
        "draining": gateway.draining,
        "max_calls": gateway.config.sip.max_calls,
        "voice": gateway.config.voice.backend,
        "results": dict(board.tally.results),
        "ended_calls": board.ended_calls,
        "calls": board.pictures(),
    }
