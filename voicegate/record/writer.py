"""The one writer: takes what is to be written, one job at a time, off the path of the sound."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from voicegate.aio import beside
from voicegate.logs import get_logger

log = get_logger(__name__)

JOBS_MAX = 256
"""Jobs that wait: five seconds of fifty recorded calls."""
LAST_JOBS_MAX = 128
"""Room beyond that for what a call leaves at its end: its figures are worth more than sound."""
END_LIMIT_S = 5.0
"""At the end of the gateway what waits is written within this, or dropped."""

Job = Callable[[], None]
"""Blocks; may raise OSError."""
Failed = Callable[[OSError], None]
"""Called in the loop with what a job raised."""


class Writer:
    """A bounded queue in front of the loop's executor. Open it with `open_writer`."""

    def __init__(self) -> None:
        self.dropped = 0
        """Jobs refused, since too many waited, and those that the end came upon."""
        self._jobs: asyncio.Queue[tuple[Job, Failed]] = asyncio.Queue(JOBS_MAX + LAST_JOBS_MAX)

    def put(self, job: Job, failed: Failed, *, last: bool = False) -> bool:
        """Have a job done; False (and counted) where too many wait. `last` may use the reserve."""
        if self._jobs.qsize() >= JOBS_MAX + (LAST_JOBS_MAX if last else 0):
            self.dropped += 1
            return False
        self._jobs.put_nowait((job, failed))
        return True

    async def run(self) -> None:
        """Do the jobs in their order, without end."""
        loop = asyncio.get_running_loop()
        while True:
            job, failed = await self._jobs.get()
            try:
                await loop.run_in_executor(None, job)
            except OSError as error:
                failed(error)
            finally:
                self._jobs.task_done()

    async def finish(self) -> None:
        """Wait until all is written, bounded."""
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await self._jobs.join()
        except TimeoutError:
            self.dropped += self._jobs.qsize()
            log.error("records not written", jobs=self._jobs.qsize())


@asynccontextmanager
async def open_writer() -> AsyncIterator[Writer]:
    """Write for as long as the block runs, and then what still waits."""
    writer = Writer()
    async with beside(writer.run(), "records/writer"):
        yield writer
        await writer.finish()
