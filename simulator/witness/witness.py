"""The witness: remembers a baseline, waits for calm, and says by name what was left behind."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self, TypeVar

from simulator.witness.census import KINDS, Census, Snapshot, Trace
from simulator.witness.channels import Channels, ErrorSeen
from simulator.witness.heap import HEAP

T = TypeVar("T")

FIRST_ROUND_S, LAST_ROUND_S, ROUNDS_S = 0.05, 0.4, 2.0
"""Each round waits twice as long as the one before, up to the last: a look costs its time."""
YIELDS = 10
JOIN_S = 0.02
SHOWN = 20


class LeakFound(AssertionError):
    """Something outlived its call, or an error was handled by nobody."""

    def __init__(
        self, after: str, traces: tuple[Trace, ...], errors: tuple[ErrorSeen, ...]
    ) -> None:
        self.after = after
        self.traces = traces
        self.errors = errors
        super().__init__(report(after, traces, errors))

    def counts(self) -> dict[str, int]:
        """How many of each kind were left behind, and how many errors; zeros left out."""
        found = Snapshot(self.traces).counts() | {"errors": len(self.errors)}
        return {kind: number for kind, number in found.items() if number}


class Witness:
    """The leak gate of one run. Works with and without pytest.

        with Witness() as witness:
            ...                          # two or three calls, to warm up
            await witness.settle()
            witness.baseline()
            ...                          # a call
            await witness.settle()
            witness.check(after="call 1")

    `owned_types` are qualified class names whose live objects are counted; `ignored` are parts of
    error texts that do not count; `take` gives snapshots of another process instead of this one.
    """

    def __init__(
        self,
        *,
        owned_types: Collection[str] = (),
        ignored: tuple[str, ...] = (),
        take: Callable[[], Snapshot] | None = None,
    ) -> None:
        self._census = Census(owned_types)
        self._channels = Channels(ignored)
        self._take = take or self._census.take
        self._before: Snapshot | None = None
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._own = take is None

    def __enter__(self) -> Self:
        self._channels.install()
        if self._own:
            self._census.take()  # what is alive already is known by its name from now on
            HEAP.rest()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channels.remove()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to that loop as well (the one that runs at `with` is listened to already)."""
        self._channels.attach(loop)

    def watch(self, thing: T, name: str = "") -> T:
        """Expect this object to die with its call; gives it back."""
        self._census.watch(thing, name or type(thing).__qualname__)
        return thing

    @property
    def errors(self) -> list[ErrorSeen]:
        """What nobody handled, oldest first (the first 200)."""
        return self._channels.errors

    def snapshot(self) -> Snapshot:
        """What is alive now."""
        return self._take()

    def counts(self) -> dict[str, int]:
        """How many threads, tasks, sockets, files, loops and watched objects are alive now."""
        return self.snapshot().counts()

    def baseline(self) -> Snapshot:
        """From now on whatever is not alive at this moment must die in time."""
        gc.collect()
        self._before = self.snapshot()
        self._threads = weakref.WeakSet(threading.enumerate())
        if self._own:
            HEAP.rest()  # settling looks a dozen times: not at what is here already
        return self._before

    async def settle(self, wait_s: float = 0.0) -> None:
        """Wait `wait_s` of loop time, then until nothing is left behind, for two seconds at most.

        Without a baseline: until the counts stop falling (three equal rounds). A finished call's
        SIP transaction lives 32 s: say so in `wait_s`, in virtual time.
        """
        await asyncio.sleep(wait_s)
        sizes: list[int] = []
        round_s, waited_s = FIRST_ROUND_S, 0.0
        while waited_s < ROUNDS_S:
            for _ in range(YIELDS):
                await asyncio.sleep(0)
            self._join_ending_threads()
            gc.collect()
            now = self.snapshot()
            sizes.append(len(now.traces))
            calm = len(sizes) >= 3 and sizes[-3] == sizes[-2] == sizes[-1]
            if not now.since(self._before) if self._before else calm:
                return
            await asyncio.sleep(round_s)
            round_s, waited_s = min(2 * round_s, LAST_ROUND_S), waited_s + round_s

    def _join_ending_threads(self) -> None:
        """Give threads that are about to end a moment; virtual time gives them none."""
        if self._before is None:
            return
        new = [thread for thread in threading.enumerate() if thread not in self._threads]
        for thread in new:
            thread.join(JOIN_S / len(new))

    def left_behind(self) -> tuple[Trace, ...]:
        """What is alive now and was not at the baseline; RuntimeError without one."""
        if self._before is None:
            raise RuntimeError("there is no baseline to compare with: call baseline() first")
        gc.collect()
        return self.snapshot().since(self._before)

    def check(self, after: str = "the run") -> None:
        """Raise LeakFound, with names, for anything left behind and any error unhandled."""
        traces = self.left_behind()
        if traces or self.errors:
            raise LeakFound(after, traces, tuple(self.errors))
        if self._own:
            HEAP.rest()  # what a clean call leaves is the judge's: recordings, journal, packets

    async def check_settled(self, after: str = "the run", wait_s: float = 0.0) -> None:
        """settle(), then check()."""
        await self.settle(wait_s)
        self.check(after)


def report(after: str, traces: tuple[Trace, ...], errors: tuple[ErrorSeen, ...]) -> str:
    """The finding as text: a line for each kind, the names of the first twenty of each."""
    lines = [f"after {after}:"]
    for kind in KINDS:
        names = [trace.name for trace in traces if trace.kind == kind]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            lines.append(f"  {len(names)} {kind} left behind: {', '.join(names[:SHOWN])}{more}")
    lines += [f"  error ({error.channel}): {error.text}" for error in errors[:SHOWN]]
    if len(errors) > SHOWN:
        lines.append(f"  and {len(errors) - SHOWN} more errors")
    return "\n".join(lines)
