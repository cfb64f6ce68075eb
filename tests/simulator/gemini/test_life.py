"""Old age."""

import pytest

from simulator.gemini import FakeGemini
from tests.simulator.gemini.bench import Bench, closing, play, sent_at, setup


def test_a_connection_has_a_life_and_says_so_before_its_end() -> None:
    fake = FakeGemini()
    fake.time_factor = 10.0

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup("gemini-3.1-flash-live-preview"))
            told = await closing(ws)
        assert told == (1011, "Deadline expired before operation could complete.")

    play(scenario, fake).check()
    assert sent_at(fake, "goAway") == pytest.approx([55.0])
    closed_s, ready_s = fake.session(0).closed_at_s, fake.session(0).ready_at_s
    assert closed_s is not None
    assert ready_s is not None
    assert closed_s - ready_s == pytest.approx(60.0)
