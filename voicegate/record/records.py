"""All records of the gateway: opened with it, fed by its calls, read by its operators."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from voicegate.aio import beside
from voicegate.logs import get_logger
from voicegate.record import disk
from voicegate.record.disk import Batch
from voicegate.record.pcap import Address, call_id_of
from voicegate.record.record import CallRecord, Clock
from voicegate.record.webhook import Webhook, open_webhook
from voicegate.record.writer import Failed, Writer, open_writer
from voicegate.report import CallReport
from voicegate.settings import RecordSettings
from voicegate.sip.address import Address as SipAddress

if TYPE_CHECKING:
    from voicegate.call import Call

log = get_logger(__name__)

SWEEP_EVERY_S = 86400.0
MESSAGES_KEPT = 256
"""SIP messages kept for a call whose record has not begun: its INVITE, and what was before."""
ENDED_KEPT = 64
"""Calls whose record still takes SIP messages: the answer to our BYE comes after their end."""


class _Message(NamedTuple):
    at_s: float
    data: bytes
    source: Address
    destination: Address


def utc_now() -> datetime:
    """Tell the date and time: records are named and dated by it, nothing is decided by it."""
    return datetime.now(UTC)


class Records:
    """The records of all calls. Open it with `open_records`."""

    def __init__(
        self,
        settings: RecordSettings,
        model: str | None,
        writer: Writer,
        webhook: Webhook | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.writer = writer
        self.webhook = webhook
        self._settings = settings
        self._model = model
        self.clock = clock
        self.opened = clock()
        self._loop = asyncio.get_running_loop()
        self._root = Path(settings.dir)
        self._open: dict[int, CallRecord] = {}
        self._messages: deque[_Message] = deque(maxlen=MESSAGES_KEPT)
        self._by_call_id: dict[str, CallRecord] = {}
        self._ended: deque[str] = deque()

    # For the gateway

    @property
    def wanted(self) -> bool:
        """Whether anything is to be kept or told of a call."""
        return bool(self._settings.dir or self._settings.cdr or self._settings.webhook)

    def follow(self, number: int, call: "Call") -> None:
        """Begin the record of a call that was just taken."""
        if not self.wanted:
            return
        # looked up for each call: the two clocks may drift apart over the weeks
        clock = Clock(self._loop.time, self._loop.time(), self.clock())
        record = CallRecord(call, number, clock, self._settings, self._put)
        self._open[number] = record
        if self._takes_packets:
            call_id = call.dialog.call_id
            self._by_call_id[call_id] = record
            for message in self._messages:
                if call_id_of(message.data) == call_id:
                    record.sip(*message)

    def close(self, report: CallReport) -> None:
        """End the record of a call that is over; what it leaves is written and sent by and by."""
        record = self._open.pop(report.number, None)
        if record is None:
            return
        told = record.close(report, self._model)
        if self._settings.cdr:
            line = json.dumps(told, ensure_ascii=False) + "\n"
            job = partial(disk.append, Path(self._settings.cdr), line)
            self.writer.put(job, self._cdr_failed, last=True)
        if self.webhook is not None:
            self.webhook.post(told)
        if self._takes_packets:
            self._let_go(report.call_id)

    def sip(self, data: bytes, source: SipAddress, destination: SipAddress) -> None:
        """Take a SIP message that passed; only for the capture, where all goes as UDP."""
        if not self._takes_packets:
            return
        message = _Message(self._loop.time(), data, source[:2], destination[:2])
        self._messages.append(message)
        record = self._by_call_id.get(call_id_of(data))
        if record is not None:
            record.sip(*message)

    # For operators

    async def recent(self, count: int) -> list[dict[str, Any]]:
        """Give the newest records, newest first: call.json's object, with `id` and `files`."""
        if not self._settings.dir:
            return []
        return await self._loop.run_in_executor(None, disk.recent, self._root, count)

    async def path(self, record: str, name: str) -> Path | None:
        """Give the path of a record's file (names.FILES); None where there is none such."""
        if not self._settings.dir:
            return None
        return await self._loop.run_in_executor(None, disk.find, self._root, record, name)

    # Its own

    async def sweep(self) -> None:
        """Delete what is older than [record] keep_days, now and once a day."""
        run = partial(self._loop.run_in_executor, None)
        while True:
            today = self.clock().date()
            # one job a record: a name that is looked up meanwhile waits for one deletion at most
            for record in await run(disk.expired, self._root, today, self._settings.keep_days):
                try:
                    await run(disk.remove, record)
                except OSError as error:
                    log.warning("old record not deleted", record=record.name, why=str(error))
            await asyncio.sleep(SWEEP_EVERY_S)

    @property
    def _takes_packets(self) -> bool:
        return bool(self._settings.dir) and self._settings.pcap

    def _put(self, batch: Batch, failed: Failed, last: bool) -> bool:
        return self.writer.put(partial(disk.write, batch), failed, last=last)

    def _cdr_failed(self, error: OSError) -> None:
        log.error("cdr not written", path=self._settings.cdr, why=error.strerror or str(error))

    def _let_go(self, call_id: str) -> None:
        self._ended.append(call_id)
        if len(self._ended) > ENDED_KEPT:
            self._by_call_id.pop(self._ended.popleft(), None)


@asynccontextmanager
async def open_records(
    settings: RecordSettings, *, model: str | None, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Records]:
    """Keep records for as long as the block runs; `model` is the name that goes into them."""
    async with AsyncExitStack() as owned:
        writer = await owned.enter_async_context(open_writer())
        webhook = None
        if settings.webhook:
            webhook = await owned.enter_async_context(open_webhook(settings.webhook))
        records = Records(settings, model, writer, webhook, clock)
        if settings.dir and settings.keep_days:
            await owned.enter_async_context(beside(records.sweep(), "records/sweep"))
        yield records
