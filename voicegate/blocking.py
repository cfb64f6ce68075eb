"""Threads for what blocks: named, bounded, started at start-up.

One executor is the event loop's default (DNS, files): a stray one grows from one thread to seven
once a name is resolved, and then a leaked thread cannot be told from it. The user's own functions
have another, since they may block for as long as they like.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

WORKERS = 2
NAME = "voicegate-blocking"


@asynccontextmanager
async def open_blocking_executor() -> AsyncIterator[ThreadPoolExecutor]:
    """Make it the loop's default for as long as the block runs; all its threads run at once."""
    loop = asyncio.get_running_loop()
    async with open_threads(NAME, WORKERS, wait=True) as executor:
        loop.set_default_executor(executor)
        try:
            yield executor
        finally:
            # the loop outlives us in tests: give it back one that has no thread yet
            loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


@asynccontextmanager
async def open_threads(
    name: str, workers: int, *, wait: bool = False
) -> AsyncIterator[ThreadPoolExecutor]:
    """Hold so many threads for as long as the block runs; `wait` for what they do at its end."""
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
    try:
        together = threading.Barrier(workers)  # each worker waits for the others: all are started
        await asyncio.gather(
            *(loop.run_in_executor(executor, together.wait) for _ in range(workers))
        )
        yield executor
    finally:
        executor.shutdown(wait=wait, cancel_futures=not wait)
