"""The loop of a command, and its end."""

import asyncio
import os
import signal
import sys

import pytest

from simulator.commands.running import Stop, run

posix = pytest.mark.skipif(sys.platform == "win32", reason="sends itself POSIX signals")


def test_the_loop_is_a_selector_loop_and_the_result_the_exit_code() -> None:
    async def main(_stop: Stop) -> int:
        assert isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        return 3

    assert run(main) == 3


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_for_the_end(number: signal.Signals) -> None:
    told: list[str] = []

    async def main(stop: Stop) -> int:
        with stop.does(lambda: told.append("at once")):
            os.kill(os.getpid(), number)
            await stop.wait()
        assert stop.asked
        return 0

    before = signal.getsignal(number)
    assert run(main) == 0
    assert told == ["at once"]
    assert signal.getsignal(number) == before


@posix
def test_the_second_signal_cancels_what_does_not_end() -> None:
    cleaned: list[str] = []

    async def main(stop: Stop) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await stop.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            cleaned.append("up")
        return 0

    assert run(main) == 1
    assert cleaned == ["up"]


async def test_who_comes_late_is_told_and_who_left_is_not() -> None:
    stop, told = Stop(), []
    with stop.does(lambda: told.append("left")):
        pass
    stop.ask()
    stop.ask()
    with stop.does(lambda: told.append("late")):
        assert told == ["late"]
