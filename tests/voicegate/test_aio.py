"""first_of: every tie and every way out. beside: over when its block is."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest

from voicegate.aio import beside, first_of
from voicegate.logs import PeerError


class Gone(Exception):
    """An error of a contestant."""


class Other(Exception):
    """Another one."""


async def gives(value: str, gate: asyncio.Event | None = None) -> str:
    if gate:
        await gate.wait()
    return value


async def gives_later(value: str) -> str:
    for _ in range(3):
        await asyncio.sleep(0)
    return value


async def fails(error: Exception, gate: asyncio.Event | None = None) -> str:
    if gate:
        await gate.wait()
    raise error


async def never() -> str:
    await asyncio.Event().wait()
    raise AssertionError("never ends")


async def race_opened(*contestants: Coroutine[Any, Any, str], gate: asyncio.Event) -> str:
    race = asyncio.ensure_future(first_of(*contestants))
    await asyncio.sleep(0)
    gate.set()
    return await race


def nothing_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_first_result_wins_and_the_others_are_over() -> None:
    assert await first_of(never(), gives("bye")) == "bye"
    assert nothing_left()


async def test_tasks_are_named_after_their_owner() -> None:
    names: list[str] = []

    async def uplink() -> None:
        task = asyncio.current_task()
        assert task
        names.append(task.get_name())

    async def call() -> None:
        await first_of(uplink())

    await asyncio.create_task(call(), name="call-7")
    assert names == ["call-7/uplink"]


async def test_a_tie_of_two_results_goes_to_the_first_argument() -> None:
    gate = asyncio.Event()
    assert await race_opened(gives("a", gate), gives("b", gate), gate=gate) == "a"


async def test_a_result_beats_an_error_in_the_same_tick(caplog: pytest.LogCaptureFixture) -> None:
    gate = asyncio.Event()
    assert await race_opened(fails(Gone(), gate), gives("bye", gate), gate=gate) == "bye"
    assert "lost the race" in caplog.text


async def test_of_two_errors_the_first_argument_is_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = asyncio.Event()
    with caplog.at_level(logging.ERROR), pytest.raises(Gone):
        await race_opened(fails(Gone(), gate), fails(Other(), gate), gate=gate)
    assert "Other" in caplog.text
    assert nothing_left()


async def test_an_error_alone_is_raised_and_ends_the_rest() -> None:
    with pytest.raises(Gone):
        await first_of(never(), fails(Gone()))
    assert nothing_left()


async def test_a_losers_clean_up_error_never_hides_the_winner(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def bad_loser() -> str:
        try:
            return await never()
        finally:
            raise Other("while cleaning up")

    assert await first_of(bad_loser(), gives("bye")) == "bye"
    assert "while cleaning up" in caplog.text


async def test_a_loser_that_cleans_up_slowly_is_waited_for() -> None:
    cleaned = False

    async def slow_loser() -> str:
        nonlocal cleaned
        try:
            return await never()
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            cleaned = True

    assert await first_of(slow_loser(), gives("bye")) == "bye"
    assert cleaned


async def test_a_cancelled_race_ends_its_contestants_and_is_cancelled() -> None:
    race = asyncio.ensure_future(first_of(never(), never()))
    await asyncio.sleep(0)
    race.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race
    assert nothing_left()


async def test_a_race_that_was_cancelled_is_gone_without_a_collection() -> None:
    """Else the tasks and frames of each call wait for a full collection, which holds all up."""
    lost: list[weakref.ref[asyncio.Task[Any]]] = []

    async def nested() -> str:
        task = asyncio.current_task()
        assert task
        lost.append(weakref.ref(task))
        del task
        return await first_of(never(), never())

    gc.disable()
    try:
        assert await first_of(nested(), gives_later("bye")) == "bye"
        for _ in range(3):
            await asyncio.sleep(0)
        assert [one() for one in lost] == [None]
    finally:
        gc.enable()


async def test_a_double_cancel_still_waits_for_the_clean_up() -> None:
    cleaned = asyncio.Event()

    async def slow_loser() -> str:
        try:
            return await never()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned.set()

    race = asyncio.ensure_future(first_of(slow_loser()))
    await asyncio.sleep(0)
    race.cancel()
    await asyncio.sleep(0)
    race.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race
    assert cleaned.is_set()
    assert nothing_left()


async def test_a_contestant_that_cancels_itself_cancels_the_race() -> None:
    async def gives_up() -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await first_of(gives_up(), never())
    assert nothing_left()


async def test_a_peers_error_that_lost_is_told_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The model was lost in uplink and downlink at once: no fault of ours stood in the log."""
    gate = asyncio.Event()
    with pytest.raises(PeerError, match="uplink"):
        await race_opened(
            fails(PeerError("uplink"), gate), fails(PeerError("downlink"), gate), gate=gate
        )
    assert "downlink" in caplog.text
    assert "Traceback" not in caplog.text
    assert await race_opened(fails(Gone(), gate), gives("bye", gate), gate=gate) == "bye"
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("end", [None, Gone("block")])
async def test_work_beside_a_block_is_over_when_the_block_is(end: Gone | None) -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append("over")

    async def block() -> None:
        async with beside(work(), "work"):
            await asyncio.sleep(0)
            if end is not None:
                raise end

    [outcome] = await asyncio.gather(block(), return_exceptions=True)
    assert outcome is end
    assert done == ["over"]


async def test_a_fault_beside_a_block_is_told_at_once_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise Gone("work")

    async with beside(work(), "work"):
        for _ in range(3):
            await asyncio.sleep(0)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "Gone" in caplog.text
