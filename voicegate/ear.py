"""Keeps a UDP socket hearing: where it has gone deaf, another one is opened in its place."""

import asyncio
from collections.abc import Awaitable, Callable

from voicegate.hearing import Hearing
from voicegate.logs import get_logger

log = get_logger(__name__)


class Ear:
    """Told by a socket's protocol of errors and datagrams; `keep` does the rest."""

    def __init__(self, hearing: Hearing, port: int) -> None:
        self._hearing = hearing
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._erred = asyncio.Event()

    def heard(self) -> None:
        """Note a datagram."""
        self._hearing.heard()

    def erred(self) -> None:
        """Note an error."""
        self._hearing.erred(self._loop.time())
        self._erred.set()

    async def keep(
        self, reopen: Callable[[], Awaitable[None]], expects: Callable[[], bool] = lambda: True
    ) -> None:
        """Reopen the socket whenever it is deaf, for as long as this runs.

        `expects()` says whether anything is due to be heard. `reopen` raises OSError where the
        system refuses; then it is tried again.
        """
        while True:
            self._erred.clear()
            due, now = self._hearing.due, self._loop.time()
            if due is None:
                await self._erred.wait()
            elif due > now:
                await asyncio.sleep(due - now)
            elif not expects():
                self._hearing.postpone(now)
            else:
                await self._replace(reopen)

    async def _replace(self, reopen: Callable[[], Awaitable[None]]) -> None:
        try:
            await reopen()
        except OSError as error:
            log.warning("deaf UDP socket cannot be reopened", port=self._port, why=str(error))
            self._hearing.tried(self._loop.time(), done=False)
        else:
            log.warning("deaf UDP socket reopened", port=self._port)
            self._hearing.tried(self._loop.time(), done=True)
