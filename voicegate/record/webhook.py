"""The webhook: at the end of each call its figures are sent to a URL, retried, bounded."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from voicegate.aio import beside
from voicegate.logs import get_logger

log = get_logger(__name__)

REPORTS_MAX = 100
"""Reports that wait; one more is dropped and counted."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Between two tries; after the last try the report is given up."""
TRY_S = 10.0
"""A try that takes longer has failed."""
END_LIMIT_S = 5.0
"""At the end of the gateway what waits is sent within this, or given up."""
_WORTH_ANOTHER = (408, 429)
"""And every 5xx: all else will not be taken the next time either."""


class Webhook:
    """Sends one report after the other. Open it with `open_webhook`."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.sent = 0
        """Reports that were taken with 2xx."""
        self.given_up = 0
        """Reports that were not, and those that too many waited before."""
        self._url = url
        self._client = client
        self._reports: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(REPORTS_MAX)

    def post(self, report: Mapping[str, Any]) -> None:
        """Have a report sent; returns at once."""
        try:
            self._reports.put_nowait(report)
        except asyncio.QueueFull:
            self._give_up(report, "too many wait")

    async def run(self) -> None:
        """Send the reports in their order, without end."""
        while True:
            report = await self._reports.get()
            await self._deliver(report)
            self._reports.task_done()

    async def finish(self) -> None:
        """Wait until all is sent, bounded."""
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await self._reports.join()
        except TimeoutError:
            log.error("webhook reports not sent", waiting=self._reports.qsize())

    async def _deliver(self, report: Mapping[str, Any]) -> None:
        for pause_s in (*PAUSES_S, None):
            why = await self._try(report)
            if why is None:
                self.sent += 1
                return
            if pause_s is None or why.startswith("refused"):
                self._give_up(report, why)
                return
            await asyncio.sleep(pause_s)

    async def _try(self, report: Mapping[str, Any]) -> str | None:
        """Say why the report was not taken; None where it was."""
        try:
            async with (
                asyncio.timeout(TRY_S),
                self._client.post(self._url, json=report, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return f"failed: {type(error).__name__}"
        if 200 <= status < 300:
            return None
        worth_another = status >= 500 or status in _WORTH_ANOTHER
        return f"{'failed' if worth_another else 'refused'}: {status}"

    def _give_up(self, report: Mapping[str, Any], why: str) -> None:
        self.given_up += 1
        log.error("webhook given up", record=report.get("id"), why=why)


@asynccontextmanager
async def open_webhook(url: str) -> AsyncIterator[Webhook]:
    """Send for as long as the block runs, and then what still waits."""
    # a connection kept for the next call would outlive this one
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as client:
        webhook = Webhook(url, client)
        async with beside(webhook.run(), "records/webhook"):
            yield webhook
            await webhook.finish()
