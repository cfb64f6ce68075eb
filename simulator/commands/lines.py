"""Lines of a pipe or terminal, read without a thread where the system allows."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

READ_OCTETS = 65_536
LINE_OCTETS_MAX = 65_536


class LineReader:
    """Cuts what comes into lines; too long a one is counted and skipped."""

    def __init__(self, descriptor: int) -> None:
        self.skipped = 0
        self._descriptor = descriptor

    async def lines(self) -> AsyncIterator[str]:
        """Give line after line until the end of the input; empty ones are left out."""
        held, skipping = b"", False
        while data := await self._read():
            *whole, held = (held + data).split(b"\n")
            for line in whole:
                if skipping or len(line) > LINE_OCTETS_MAX:
                    self.skipped += 1
                    skipping = False
                elif text := line.decode("utf-8", "replace").strip():
                    yield text
            if len(held) > LINE_OCTETS_MAX:
                held, skipping = b"", True
        if text := held.decode("utf-8", "replace").strip():
            yield text

    async def _read(self) -> bytes:
        """Give what is there to be read, b"" at the end."""
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            # A selector of Windows knows sockets only; the read ends with the pipe.
            return await loop.run_in_executor(None, os.read, self._descriptor, READ_OCTETS)
        readable: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(self._descriptor, _done, readable)
        except PermissionError:  # a plain file can always be read
            return os.read(self._descriptor, READ_OCTETS)
        try:
            await readable
        finally:
            loop.remove_reader(self._descriptor)
        return os.read(self._descriptor, READ_OCTETS)


def _done(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)
