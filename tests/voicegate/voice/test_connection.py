"""One connection: what cannot be read is skipped, and its end is bounded."""

import asyncio

import pytest

from simulator.audio.sound import speech
from simulator.gemini.script import raw
from simulator.gemini.server import FakeGemini
from tests.voicegate.voice.ear import heard, serving
from voicegate.voice.connection import CLOSE_LIMIT_S, MAX_UNREADABLE_PER_MINUTE
from voicegate.voice.session import ModelAudio, TurnComplete

pytestmark = pytest.mark.virtual

BOTH_WAYS = pytest.mark.parametrize("direct", [True, False], ids=["direct", "sdk"])


@BOTH_WAYS
@pytest.mark.parametrize("frame", ["{", "null", '{"futureThing":{"a":1}}', '{"goAway":3}'])
async def test_what_cannot_be_read_is_not_the_end(
    fake: FakeGemini, frame: str, direct: bool
) -> None:
    fake.on_connect(raw(frame))
    async with serving() as gemini:
        gemini.direct = direct
        async with heard(gemini) as ear:
            await asyncio.sleep(0.5)
            fake.session(0).say(speech(1.0))
            await ear.until(lambda: ear.of(TurnComplete))
    assert sum(len(e.pcm16) for e in ear.events if isinstance(e, ModelAudio)) > 40_000
    assert len(fake.sessions) == 1


@BOTH_WAYS
async def test_too_much_that_cannot_be_read_is_the_end_of_the_connection(
    fake: FakeGemini, direct: bool
) -> None:
    fake.on_connect(*[raw("{")] * (MAX_UNREADABLE_PER_MINUTE + 1))
    async with serving() as gemini:
        gemini.direct = direct
        async with heard(gemini) as ear:
            await ear.until(lambda: ear.lost)
    assert "cannot be read" in str(ear.lost)
    assert len(fake.sessions) == 2, "once more, anew"


@BOTH_WAYS
@pytest.mark.parametrize("dead", ["stalled", "half-open"])
async def test_a_hang_up_is_bounded_when_the_service_is_dead(
    fake: FakeGemini, direct: bool, dead: str
) -> None:
    loop = asyncio.get_running_loop()
    async with serving() as gemini:
        gemini.direct = direct
        async with gemini.converse():
            if dead == "stalled":
                fake.session(0).stall(60)
            else:
                fake.session(0).wire.half_open()
            left_at = loop.time()
        assert loop.time() - left_at <= CLOSE_LIMIT_S
        fake.session(0).wire.half_open(False)
