"""What hold does to the sound: nothing of the model is lost, no music reaches it."""

import asyncio

import pytest

from tests.voicegate.media.lab import LOUD, Lab, calling, offer
from voicegate.media.codec import PCMU, SILENCE_FRAME

pytestmark = pytest.mark.virtual

HOLDS = ["a=sendonly\r\n", "a=inactive\r\n"]


@pytest.mark.parametrize("how", HOLDS)
async def test_the_models_voice_waits_and_goes_on_behind_the_hold(how: str) -> None:
    async with calling() as caller, Lab().open(offer(caller.port)) as media:
        media.start()
        media.say(LOUD * 50, 8000)
        await asyncio.sleep(0.3)
        media.renegotiate(offer(caller.port, more=how))
        left_ms, sent = media.queued_ms, len(caller.got)
        assert left_ms > 600
        await asyncio.sleep(5)
        assert media.queued_ms == left_ms
        assert len(caller.got) <= sent + 1
        media.renegotiate(offer(caller.port))
        await asyncio.wait_for(media.drained(), 1.0)
        assert media.last_played_at is not None


async def test_music_on_hold_is_not_for_the_model() -> None:
    async with calling() as caller, Lab().open(offer(caller.port)) as media:
        media.start()
        media.renegotiate(offer(caller.port, more="a=sendonly\r\n"))
        for _ in range(10):
            caller.voice(media, PCMU.encode(LOUD))
            assert await media.hear() == SILENCE_FRAME
        # the taps hear it: a record shows what was on the line
        assert media.counters().packets_in > 5


async def test_a_hold_is_told_once_each_way_and_its_end_is_remembered() -> None:
    told: list[bool] = []
    loop = asyncio.get_running_loop()
    async with calling() as caller, Lab().open(offer(caller.port)) as media:
        media.start()
        media.on_parked = told.append
        assert media.last_parked_at is None
        for how in HOLDS:
            media.renegotiate(offer(caller.port, more=how))
        await asyncio.sleep(3)
        assert media.last_parked_at == loop.time()
        media.renegotiate(offer(caller.port))
        ended_at = loop.time()
        await asyncio.sleep(2)
        assert told == [True, False]
        assert media.last_parked_at == ended_at


async def test_what_is_heard_before_the_answer_is_for_the_taps_alone() -> None:
    heard: list[bytes] = []
    async with calling() as caller, Lab().open(b"") as media:
        media.tap(lambda frame, _sent, _now: heard.append(frame))
        media.start(early=True)
        media.agree(offer(caller.port))
        for _ in range(20):
            caller.voice(media, PCMU.encode(LOUD))
            await asyncio.sleep(0.02)
        assert any(frame != SILENCE_FRAME for frame in heard)
        assert media.counters().uplink_dropped == 0
        assert caller.got
        media.start()
        caller.voice(media, PCMU.encode(LOUD))
        assert await media.hear() != b""
