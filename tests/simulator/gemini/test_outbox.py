"""The one writer: order, stalls, bounds."""

import pytest

from simulator.audio.sound import speech
from simulator.gemini import FakeGemini
from simulator.gemini.outbox import FRAMES_MAX
from simulator.gemini.script import (
    say,
    stall,
)
from tests.simulator.gemini.bench import (
    Bench,
    closing,
    one_turn,
    play,
    sent_at,
    setup,
)


def test_a_stall_holds_everything_back_and_loses_nothing() -> None:
    fake = FakeGemini()
    fake.on_connect(stall(3.0), say(speech(1.0)))
    one_turn(fake)
    times = sent_at(fake, "modelTurn")
    assert len(times) == 10
    assert times[1:] == pytest.approx([3.0] * 9)


def test_what_a_peer_does_not_read_is_dropped_and_counted() -> None:
    fake = FakeGemini()

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            session = await fake.connected()
            for _ in range(FRAMES_MAX + 5):
                session.raw("{}")
            session.close(1000)
            session.raw("{}")
            assert session.dropped_frames == 6
            assert await closing(ws) == (1000, "")

    play(scenario, fake)
    assert fake.session(0).sent["raw"] == FRAMES_MAX
