"""What a tap gets: the frames of both directions, tick by tick."""

import asyncio

import pytest

from tests.voicegate.media.lab import LOUD, Lab, calling, offer

pytestmark = pytest.mark.virtual


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_tap_gets_both_frames_of_each_tick_as_on_the_wire(lab: Lab) -> None:
    taken: list[tuple[bytes, bytes]] = []
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.tap(lambda heard, said, _: taken.append((heard, said)))
        media.start()
        media.say(LOUD, 8000)
        await asyncio.sleep(0.1)
        media.stop()
        count = len(taken)
        await asyncio.sleep(0.1)
    assert count == len(taken) == media.counters().packets_out
    assert taken[0] == (bytes(320), LOUD)
    assert taken[1] == (bytes(320), bytes(320))
