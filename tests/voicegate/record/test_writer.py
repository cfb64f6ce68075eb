"""The one writer: bounded, counted, and over at its end."""

import asyncio
import errno

import pytest

from voicegate.record.writer import JOBS_MAX, LAST_JOBS_MAX, open_writer

pytestmark = pytest.mark.virtual


def loud(error: OSError) -> None:
    raise AssertionError(error)


async def test_jobs_are_done_in_their_order_and_all_before_the_end() -> None:
    done: list[int] = []
    async with open_writer() as writer:
        for number in range(20):
            assert writer.put(lambda number=number: done.append(number), loud)  # type: ignore[misc]
        assert done == []
    assert done == list(range(20))
    assert len(asyncio.all_tasks()) == 1


async def test_a_failed_job_is_told_and_the_next_one_is_done() -> None:
    told: list[int | None] = []
    done: list[bool] = []

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with open_writer() as writer:
        writer.put(full, lambda error: told.append(error.errno))
        writer.put(lambda: done.append(True), loud)
    assert (told, done) == ([errno.ENOSPC], [True])


async def test_a_slow_disk_costs_jobs_that_are_counted_and_last_ones_have_a_reserve() -> None:
    async with open_writer() as writer:
        taken = [writer.put(lambda: None, loud) for _ in range(JOBS_MAX + 3)]
        assert (taken.count(True), writer.dropped) == (JOBS_MAX, 3)
        last = [writer.put(lambda: None, loud, last=True) for _ in range(LAST_JOBS_MAX + 1)]
        assert (last.count(True), writer.dropped) == (LAST_JOBS_MAX, 4)


async def test_cancelled_it_leaves_no_task() -> None:
    async def keep() -> None:
        async with open_writer():
            await asyncio.Event().wait()

    task = asyncio.create_task(keep())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
