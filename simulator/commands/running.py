"""How a command runs: one selector loop, and an orderly end at Ctrl+C."""

import asyncio
import itertools
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from simulator.commands.terminal import EXIT_FAILED

HEARTBEAT_S = 1.0
"""A selector that sleeps on Windows sees no Ctrl+C; so often it is woken to look."""


class Stop:
    """The wish to end: to be waited for, or to be told of at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._numbers = itertools.count()
        self._acts: dict[int, Callable[[], object]] = {}

    @property
    def asked(self) -> bool:
        """Whether somebody wants the end."""
        return self._event.is_set()

    def ask(self) -> None:
        """Want the end; harmless twice."""
        self._event.set()
        for act in list(self._acts.values()):
            act()

    async def wait(self) -> None:
        """Wait for the wish."""
        await self._event.wait()

    @contextmanager
    def does(self, act: Callable[[], object]) -> Iterator[None]:
        """Call `act` at the wish while the block runs (at once where it came before)."""
        number = next(self._numbers)
        self._acts[number] = act
        if self.asked:
            act()
        try:
            yield
        finally:
            del self._acts[number]


def run(main: Callable[[Stop], Coroutine[Any, Any, int]]) -> int:
    """Run a command to its exit code.

    The loop is a selector loop on every system: the Proactor loop of Windows goes deaf on a UDP
    socket after one WinError 10054 (cpython gh-91227). The first Ctrl+C (or SIGTERM, Ctrl+Break)
    asks for the end, the second one cancels.
    """
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        try:
            return runner.run(_obeying(main))
        except asyncio.CancelledError:
            return EXIT_FAILED


async def _obeying(main: Callable[[Stop], Coroutine[Any, Any, int]]) -> int:
    stop, task = Stop(), asyncio.current_task()

    def wished() -> None:
        if stop.asked and task is not None:
            task.cancel()
        stop.ask()

    with stop_signals(wished):
        return await main(stop)


@contextmanager
def stop_signals(wished: Callable[[], None]) -> Iterator[None]:
    """Call `wished` on the loop at each signal that asks for the end, while the block runs."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    try:
        for number in numbers:
            loop.add_signal_handler(number, wished)
    except NotImplementedError:
        with _plain_signals(loop, numbers, wished):
            yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _plain_signals(
    loop: asyncio.AbstractEventLoop, numbers: list[signal.Signals], wished: Callable[[], None]
) -> Iterator[None]:
    """Do the same on Windows: by `signal.signal`, with a heartbeat so that it is seen."""

    def seen(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(wished)

    timers: list[asyncio.TimerHandle] = []

    def beat() -> None:
        timers[:] = [loop.call_later(HEARTBEAT_S, beat)]

    beat()
    before = {number: signal.signal(number, seen) for number in numbers}
    try:
        yield
    finally:
        timers[0].cancel()
        for number, old in before.items():
            signal.signal(number, old)
