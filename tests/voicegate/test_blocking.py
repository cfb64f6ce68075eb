"""The one executor: named, started at once, gone afterwards."""

import asyncio
import threading

from voicegate.blocking import NAME, WORKERS, open_blocking_executor


def named_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(NAME)]


async def test_all_workers_run_at_once_and_none_is_added_by_use() -> None:
    before = threading.active_count()
    async with open_blocking_executor():
        assert len(named_threads()) == WORKERS
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.getaddrinfo("127.0.0.1", port) for port in range(1, 20)))
        assert threading.active_count() == before + WORKERS
    assert threading.active_count() == before


async def test_the_loop_can_be_used_afterwards() -> None:
    async with open_blocking_executor():
        pass
    assert await asyncio.to_thread(lambda: 7) == 7
