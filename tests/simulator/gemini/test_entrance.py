"""Refusals and delays on demand."""

import asyncio

import pytest
from google.genai import errors
from websockets.exceptions import InvalidStatus

from simulator.gemini import FakeGemini
from tests.simulator.gemini.bench import Bench, play


def test_scripted_refusals_are_no_violations_and_can_end() -> None:
    fake = FakeGemini()
    fake.refuse(503, times=1)
    fake.refuse_setup(1011, "The service is currently unavailable.", session=0)

    async def scenario(bench: Bench) -> None:
        with pytest.raises(InvalidStatus):
            await bench.live().__aenter__()
        with pytest.raises(errors.APIError) as caught:
            await bench.live().__aenter__()
        assert caught.value.code == 1011
        async with bench.live():
            pass

    play(scenario, fake).check()
    assert fake.entrance.refused_upgrades == 1
    assert len(fake.sessions) == 2


def test_setup_complete_can_be_late_or_never_come() -> None:
    fake = FakeGemini()
    fake.stall_setup(3.0, session=0)
    fake.stall_setup(session=1)

    async def scenario(bench: Bench) -> None:
        now = asyncio.get_running_loop().time
        start_s = now()
        async with bench.live():
            assert now() - start_s == pytest.approx(3.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30), bench.live():
                pass

    play(scenario, fake)
    assert fake.session(1).ready_at_s is None


def test_a_setup_can_be_answered_with_a_cut() -> None:
    fake = FakeGemini()
    fake.refuse_setup(1006, times=1)

    async def scenario(bench: Bench) -> None:
        with pytest.raises(errors.APIError) as caught:
            await bench.live().__aenter__()
        assert caught.value.code == 1006
        async with bench.live():
            pass

    assert play(scenario, fake).session(0).closed == (1006, "")
