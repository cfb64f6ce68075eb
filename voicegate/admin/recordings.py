"""The records of calls over HTTP: which there are, their files, and the waveform of a recording."""

import asyncio
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from voicegate.admin.history import history
from voicegate.admin.waveform import waveform
from voicegate.record import names

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

COUNT, COUNT_MAX = 50, 500
TYPES = {".wav": "audio/wav", ".txt": "text/plain", ".json": "application/json"}
OTHER_TYPE = "application/octet-stream"


class Recordings:
    """What is answered, route by route."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    async def newest(self, request: web.Request) -> web.Response:
        """Give the newest records; `?count=` says how many."""
        try:
            count = int(request.query.get("count", COUNT))
        except ValueError:
            raise web.HTTPBadRequest(text="count is a number") from None
        found = await self._gateway.records.recent(max(1, min(count, COUNT_MAX)))
        return web.json_response(found)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give a file of a record, or the part of it that a Range asks for.

        aiohttp opens it in the loop's executor: that is ours, with its two threads.
        """
        path = await self._path(request, request.match_info["name"])
        kind = TYPES.get(path.suffix, OTHER_TYPE)
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return web.FileResponse(path, headers=headers | {"Content-Type": kind})

    async def waveform(self, request: web.Request) -> web.Response:
        """Give the waveform of a recording, worked out off the loop."""
        path = await self._path(request, names.AUDIO)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, waveform, path)
        except (OSError, EOFError, wave.Error) as error:
            raise web.HTTPNotFound(text=f"that recording cannot be read: {error}") from error
        return web.json_response(found)

    async def beside(self, recent: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add what the records tell: of these calls, and of those before this process."""
        records = self._gateway.records
        return history(recent, await records.recent(COUNT), records.opened, records.clock())

    async def _path(self, request: web.Request, name: str) -> Path:
        path = await self._gateway.records.path(request.match_info["record"], name)
        if path is None:
            raise web.HTTPNotFound(text="there is no such record or file")
        return path
