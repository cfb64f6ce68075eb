"""What asyncio complains of, each once."""

import asyncio
import logging

from simulator.witness.witness import Witness
from voicegate.admin.complaints import Complaints


async def test_an_error_in_a_callback_counts_once_though_asyncio_logs_it_too() -> None:
    loop, complaints = asyncio.get_running_loop(), Complaints()
    with complaints.counted(loop):
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert complaints.count == 1
    assert loop.get_exception_handler() is None


async def test_whoever_listened_before_still_does() -> None:
    loop, complaints, before = asyncio.get_running_loop(), Complaints(), Witness()
    with before:
        with complaints.counted(loop):
            loop.call_exception_handler({"message": "one"})
        loop.call_exception_handler({"message": "two"})
        told = [str(one) for one in before.errors]
    assert complaints.count == 1
    assert len(told) == 2


async def test_what_only_the_logger_tells_counts_too() -> None:
    complaints = Complaints()
    with complaints.counted(asyncio.get_running_loop()):
        logging.getLogger("asyncio").error("Task was destroyed")
        logging.getLogger("asyncio").warning("slow")
    logging.getLogger("asyncio").error("later")
    assert complaints.count == 1
