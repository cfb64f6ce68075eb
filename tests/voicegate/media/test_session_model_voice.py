"""The model's voice on the line: in full, as one stream, flushed, and clean at a turn."""

import asyncio
import struct

import pytest

from tests.voicegate.media.lab import LOUD, Lab, calling, offer
from voicegate.media.codec import PCMU, peak

pytestmark = pytest.mark.virtual


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_the_model_is_heard_in_full_and_drained_says_when(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        await media.drained()
        media.start()
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.1)
        assert media.last_played_at is None
        media.say(LOUD * 50 + b"\x10\x20", 8000)
        assert media.queued_ms == 1000.125
        began = loop.time()
        await media.drained()
        assert loop.time() - began == pytest.approx(1.01, abs=0.02)
        assert media.last_played_at == pytest.approx(loop.time(), abs=0.001)
        assert media.queued_ms == 0
        await asyncio.sleep(0.1)
    voiced = [packet.payload for packet in caller.packets if packet.payload != PCMU.silence]
    assert voiced[:50] == [PCMU.encode(LOUD)] * 50
    assert voiced[50] == PCMU.encode(b"\x10\x20") + PCMU.silence[1:]
    assert len(voiced) == 51


async def test_model_audio_at_24_khz_is_resampled_as_one_stream(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        pcm16 = LOUD * 150
        for at in range(0, len(pcm16), 1111):
            media.say(pcm16[at : at + 1111], 24000)
        assert media.queued_ms == pytest.approx(1000, abs=0.2)
        await media.drained()
        await asyncio.sleep(0.05)
    heard = b"".join(PCMU.decode(p.payload) for p in caller.packets if p.payload != PCMU.silence)
    values = struct.unpack(f"<{len(heard) // 2}h", heard)[100:7900]
    assert max(values) - min(values) == 0
    assert values[0] == pytest.approx(8208, rel=0.05)


async def test_flush_is_heard_with_the_next_packet(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        media.say(LOUD * 500, 8000)
        await asyncio.sleep(1)
        waiting = asyncio.create_task(media.drained())
        await asyncio.sleep(0)
        sent = len(caller.got)
        assert media.flush() > 8000
        await waiting
        assert media.queued_ms == 0
        await asyncio.sleep(0.1)
        after = caller.packets[sent:]
        assert {packet.payload for packet in after} == {PCMU.silence}
        assert [packet.marker for packet in after] == [True] + [False] * (len(after) - 1)
        media.say(LOUD, 8000)
        await media.drained()


async def test_trap_13_after_a_flush_nothing_of_the_old_voice_is_left_in_the_filter(
    lab: Lab,
) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.say(LOUD * 3 + b"\x10", 24000)
        media.flush()
        media.start()
        media.say(bytes(960), 24000)
        assert media.queued_ms == 20
        await media.drained()
        await asyncio.sleep(0.01)
    assert {packet.payload for packet in caller.packets} == {PCMU.silence}


async def test_a_turn_does_not_begin_with_a_click_of_the_last_one(lab: Lab) -> None:
    """The resampler kept the last 2 ms of a turn and gave them out before the next."""
    async with calling() as caller, lab.open(offer(caller.port, "0")) as media:
        media.start()
        media.say(struct.pack("<480h", *[16000] * 480), 24000)
        await media.drained()
        await asyncio.sleep(0.1)
        before = len(caller.got)
        media.say(bytes(960), 24000)
        await media.drained()
        await asyncio.sleep(0.1)
        levels = [peak(PCMU.decode(packet.payload)) for packet in caller.packets[before:]]
    assert max(levels) <= 8
