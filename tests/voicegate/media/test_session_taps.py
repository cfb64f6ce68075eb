"""What a tap gets: the frames of both directions, tick by tick."""

import asyncio

import pytest

from tests.voicegate.media.lab import HOST, LOUD, Lab, calling, offer, port_of

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


async def test_a_packet_tap_gets_every_datagram_with_its_way(lab: Lab) -> None:
    taken: list[tuple[bytes, tuple[str, int], tuple[str, int]]] = []
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.tap_packets(lambda data, source, target: taken.append((data, source, target)))
        media.start()
        caller.voice(media, b"\xff" * 160)
        await asyncio.sleep(0.05)
        ours, theirs = (HOST, port_of(media)), (HOST, caller.port)
        media.stop()
    ways = [(source, target) for _, source, target in taken]
    assert ways.count((theirs, ours)) == 1
    assert ways.count((ours, theirs)) == media.counters().packets_out
    assert {len(data) for data, _, _ in taken} == {172}


async def test_the_delay_of_hearing_is_known(lab: Lab) -> None:
    heard_at: list[float] = []
    loop = asyncio.get_running_loop()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.tap(lambda heard, _, now: heard_at.append(now) if any(heard) else None)
        media.start()
        await asyncio.sleep(0.007)
        said_at = loop.time()
        for _ in range(30):
            caller.voice(media, b"\x10" * 160)
            await asyncio.sleep(0.02)
        # the first sample of the packet stands in the frame at the delay's place
        assert media.hearing_delay_ms == pytest.approx((heard_at[0] - said_at) * 1000, abs=20)
        assert 10 <= media.hearing_delay_ms <= 30
        assert media.counters().max_gap_ms == pytest.approx(20, abs=0.1)
