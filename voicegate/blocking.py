"""The one executor for what blocks (DNS, files): named, bounded, started at start-up.

A stray default executor grows from one thread to seven once a name is resolved, and then a leaked
thread cannot be told from it.
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
    executor = ThreadPoolExecutor(WORKERS, thread_name_prefix=NAME)
    loop.set_default_executor(executor)
    try:
        together = threading.Barrier(WORKERS)  # each worker waits for the others: all are started
        await asyncio.gather(
            *(loop.run_in_executor(executor, together.wait) for _ in range(WORKERS))
        )
        yield executor
    finally:
        # the loop outlives us in tests: give it back one that has no thread yet
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        executor.shutdown(wait=True)
