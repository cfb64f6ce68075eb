import asyncio

import pytest

from voicegate.media.uplink import FRAMES_MAX, MediaStopped, Uplink


def frame(number: int) -> bytes:
    return bytes([number]) * 320


async def test_frames_come_in_order_one_or_more_at_a_time() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    for number in range(4):
        uplink.put(frame(number))
    assert await uplink.take() == frame(0)
    assert await uplink.take(3) == frame(1) + frame(2) + frame(3)


async def test_a_listener_wakes_when_there_is_enough() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    listening = asyncio.create_task(uplink.take(2))
    await asyncio.sleep(0)
    uplink.put(frame(1))
    await asyncio.sleep(0)
    assert not listening.done()
    uplink.put(frame(2))
    assert await listening == frame(1) + frame(2)


async def test_with_nobody_listening_the_oldest_goes_and_is_counted() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    for number in range(FRAMES_MAX + 3):
        uplink.put(frame(number))
    assert uplink.dropped == 3
    assert await uplink.take() == frame(3)


async def test_a_listener_that_gave_up_takes_no_frame_with_it() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    listening = asyncio.create_task(uplink.take())
    await asyncio.sleep(0)
    listening.cancel()
    uplink.put(frame(1))
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert await uplink.take() == frame(1)


async def test_the_end_wakes_the_listener_and_stays_the_end() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    uplink.put(frame(1))
    listening = asyncio.create_task(uplink.take(2))
    await asyncio.sleep(0)
    uplink.close()
    with pytest.raises(MediaStopped):
        await listening
    assert await uplink.take() == frame(1)
    with pytest.raises(MediaStopped):
        await uplink.take()


async def test_only_one_may_listen() -> None:
    uplink = Uplink(asyncio.get_running_loop())
    listening = asyncio.create_task(uplink.take())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already"):
        await uplink.take()
    uplink.put(frame(1))
    assert await listening == frame(1)
    with pytest.raises(ValueError, match="frames"):
        await uplink.take(FRAMES_MAX + 1)
