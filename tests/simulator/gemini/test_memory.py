"""A conversation that is forgotten leaves its figures and nothing else."""

import pytest

from simulator.gemini.memory import forget
from tests.simulator.gemini.bench import Bench, play


async def story(bench: Bench) -> None:
    gemini = bench.gemini
    async with bench.live():
        session = await gemini.connected(0)
        with pytest.raises(TimeoutError):
            await forget(gemini, session, within_s=1)
    await forget(gemini, session)
    assert session.closed is not None
    assert session.heard.duration_s == 0
    assert gemini.journal.of(0) == []
    assert gemini.open_sessions == 0


def test_what_is_over_can_be_forgotten_and_what_is_open_cannot() -> None:
    play(story)
