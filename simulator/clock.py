"""Virtual time over real sockets: one event loop whose clock jumps when nothing is left to do.

The sockets are real (loopback), the code under test is unmodified; only `loop.time()` is virtual.
Raw threads and subprocesses are not seen: hold the clock with `VirtualLoop.held()` around them.
"""

import asyncio
import io
import selectors
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_S = 1000.0
LIMIT_S = 120.0
# How long, in real seconds, an executor job or a silent loop may take before it counts as stuck.
PATIENCE_S = 20.0
SILENCE_S = 1.0
# Rounds without a moment passing: far more than any burst of packets takes.
SPINS = 1_000_000
RESOLUTION_S = 1e-6
# Linux delivers on loopback before sendto() returns; elsewhere a datagram may need a moment.
DELIVERY_S = 0.0 if sys.platform == "linux" else 0.0005


class Deadlock(RuntimeError):
    """Nothing can happen any more, or the virtual limit is over; says where every task stands."""


class _VirtualSelector(selectors.BaseSelector):
    """A selector that asks the real one, and lets virtual time pass instead of waiting."""

    def __init__(self, patience_s: float) -> None:
        self.now_s = START_S
        self.held = 0
        self.limit_s = float("inf")
        self.stuck: Callable[[str], Deadlock] = Deadlock
        self._patience_s = patience_s
        self._real = selectors.DefaultSelector()
        self._spins = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._spins += 1
        if self._spins > SPINS:
            self._spins = 0
            raise self.stuck(f"{SPINS} rounds at one moment: something spins")
        events = self._real.select(0)
        if timeout is not None and timeout <= 0:
            return events
        if not events and DELIVERY_S:
            events = self._real.select(DELIVERY_S)
        if events:
            return events
        self._spins = 0
        if self.held or timeout is None:
            return self._wait_for_real()
        return self._jump(timeout)

    def _wait_for_real(self) -> list[tuple[selectors.SelectorKey, int]]:
        events = self._real.select(self._patience_s if self.held else SILENCE_S)
        if events:
            return events
        if self.held:
            raise self.stuck(f"work outside the loop took more than {self._patience_s} real s")
        raise self.stuck("no timer, no packet, no job: nothing can happen any more")

    def _jump(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        if self.now_s + timeout > self.limit_s:
            self.now_s = self.limit_s
            raise self.stuck("the virtual time limit is over")
        self.now_s += timeout
        return []

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(
        self, fileobj: "FileDescriptorLike", events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_key(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; for `asyncio.Runner(loop_factory=VirtualLoop)`.

    Time stands still while packets move or an executor job runs; else it jumps to the next timer.
    Raises Deadlock when nothing can happen any more, or after `limit_s` virtual seconds (a
    periodic timer hides a hang from the first check). After a Deadlock the limit moves on by as
    much again, so that the clean-up can run.
    """

    def __init__(self, limit_s: float = LIMIT_S, patience_s: float = PATIENCE_S) -> None:
        self._virtual = _VirtualSelector(patience_s)
        self._limit_s = limit_s
        self._virtual.limit_s = START_S + limit_s
        self._virtual.stuck = self._deadlock
        super().__init__(self._virtual)
        # Timers due within the clock's resolution run together: far finer than any of ours.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Virtual seconds; starts at 1000 so that nobody takes 0 for "never"."""
        return self._virtual.now_s

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.now_s - START_S

    @property
    def limit_s(self) -> float:
        """The virtual seconds this loop may run; settable by a test that needs longer."""
        return self._limit_s

    @limit_s.setter
    def limit_s(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._virtual.limit_s = START_S + limit_s

    @contextmanager
    def held(self) -> Iterator[None]:
        """Time stands still within: something outside the loop is at work (thread, process)."""
        self._virtual.held += 1
        try:
            yield
        finally:
            self._virtual.held -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As in asyncio; time stands still until the job is done."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.held += 1
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _future: asyncio.Future[Any]) -> None:
        self._virtual.held -= 1

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ARG002 - 3.12 and later pass one
    ) -> None:
        """As in asyncio, without its time-out (300 s would pass at once in virtual time)."""
        with self.held():
            await super().shutdown_default_executor()

    def _deadlock(self, why: str) -> Deadlock:
        text = f"{why} (after {self.elapsed_s:.3f} virtual s)\n{task_report(self)}"
        if self._virtual.now_s >= self._virtual.limit_s:
            self._virtual.limit_s += self._limit_s
        return Deadlock(text)


def run_virtual(main: Coroutine[Any, Any, T], limit_s: float = LIMIT_S) -> T:
    """Run `main` to its end in virtual time; raises Deadlock where it hangs."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(limit_s)) as runner:
        return runner.run(main)


def task_report(loop: asyncio.AbstractEventLoop) -> str:
    """Every unfinished task of the loop with the frames of its whole await chain."""
    out = io.StringIO()
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in tasks:
        out.write(f"task {task.get_name()}:\n")
        for frame in _await_chain(task.get_coro()):
            out.writelines(traceback.format_list([_summary(frame)]))
    return out.getvalue() or "no task is left\n"


def _summary(frame: FrameType) -> traceback.FrameSummary:
    code: CodeType = frame.f_code
    return traceback.FrameSummary(code.co_filename, frame.f_lineno or 0, code.co_qualname)


def _await_chain(awaited: Any) -> Iterator[FrameType]:
    """The frames from a task's coroutine down to what it waits for."""
    for _ in range(200):  # a chain cannot be endless, a broken one could be
        frame = next(
            (f for name in ("cr", "gi", "ag") if (f := getattr(awaited, f"{name}_frame", None))),
            None,
        )
        if frame is None:
            return
        yield frame
        awaited = next(
            (
                inner
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if (inner := getattr(awaited, name, None)) is not None
            ),
            None,
        )
