"""Many calls: begun at a rate, so many at once, each judged, all counted in bounded memory."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulator.commands.one_call import MODEL_IDENTITIES, CallPlan, Carried, carry, judge
from simulator.commands.running import Stop
from simulator.commands.tally import Histogram
from simulator.commands.terminal import Screen
from simulator.gate.gate import SimulatedGate

if TYPE_CHECKING:
    from simulator.commands.model_side import ModelSide

FAILED_KEPT = 100
REFUSED = "call refused"


@dataclass(frozen=True)
class LoadPlan:
    """How many calls, and of which kind."""

    calls: int
    """In all."""
    concurrency: int
    """At once."""
    rate: float
    """New ones a second, at most."""
    call: CallPlan
    """Each of them; the identity is given out here."""
    stamps_at_least: int = 1
    """How many stamps each side must hear, where the model is ours."""


class Load:
    """One run of calls."""

    def __init__(
        self,
        gate: SimulatedGate,
        plan: LoadPlan,
        model: "ModelSide | None",
        screen: Screen,
        stop: Stop,
    ) -> None:
        self._gate = gate
        self._plan = plan
        self._model = model
        self._screen = screen
        self._stop = stop
        self._slots = asyncio.Semaphore(plan.concurrency)
        # Longest unused first: a stamp that comes too late is a stranger's for long.
        self._identities = deque(range(1, MODEL_IDENTITIES))
        self._setup, self._intervals = Histogram(), Histogram()
        self._made = self._done = self._ok = self._answered = 0
        self._open = self._most_at_once = 0
        self._lost = self._skipped = 0
        self._failures: Counter[str] = Counter()
        self._failed: list[dict[str, Any]] = []
        self._took_s = 0.0

    async def run(self) -> None:
        """Make the calls; once the end is wanted no more begin, and those under way hang up."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        with self._screen.progress("calls", self._plan.calls) as step:
            async with asyncio.TaskGroup() as group:
                starting = group.create_task(self._start(group, step), name="soak/start")
                with self._stop.does(starting.cancel):
                    await asyncio.wait((starting,))
        self._took_s = loop.time() - began_at

    async def _start(self, group: asyncio.TaskGroup, step: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        for number in range(1, self._plan.calls + 1):
            await self._slots.acquire()
            await asyncio.sleep(max(0.0, due_at - loop.time()))
            # After a pause there is no burst to catch up.
            due_at = max(due_at, loop.time() - 1 / self._plan.rate) + 1 / self._plan.rate
            self._made += 1
            group.create_task(self._one(number, step), name=f"soak/call-{number}")

    async def _one(self, number: int, step: Callable[[str], None]) -> None:
        # More at once than there are identities: then some share one.
        free = bool(self._identities)
        identity = self._identities.popleft() if free else 1 + number % (MODEL_IDENTITIES - 1)
        self._open += 1
        self._most_at_once = max(self._most_at_once, self._open)
        try:
            plan = replace(self._plan.call, identity=identity)
            carried = await carry(self._gate, plan, self._stop)
            await self._count(number, carried, plan)
        except OSError as error:  # no port, no descriptor: of this machine, not of the gateway
            self._fail(number, [f"the call could not be made: {error.strerror or error}"])
        finally:
            self._open -= 1
            if free:
                self._identities.append(identity)
            self._slots.release()
        self._done += 1
        step(f"{self._done - self._ok} failed" if self._done > self._ok else "all well")

    async def _count(self, number: int, carried: Carried, plan: CallPlan) -> None:
        result = judge(carried, plan)
        failures = list(result.failures)
        if result.answered:
            self._answered += 1
            if self._model is not None:
                failures += await self._model.failures(carried, self._plan.stamps_at_least)
        if result.setup_ms is not None:
            self._setup.add([result.setup_ms])
        self._intervals.add(1000 * one for one in carried.call.rtp.intervals_s)
        self._lost += carried.call.rtp.lost
        self._skipped += carried.call.media.frames_skipped
        if failures:
            self._fail(number, failures)
        else:
            self._ok += 1

    def _fail(self, number: int, failures: list[str]) -> None:
        kinds = [text if text.startswith(REFUSED) else text.split(":")[0] for text in failures]
        self._failures.update(dict.fromkeys(kinds, 1))
        if len(self._failed) < FAILED_KEPT:
            self._failed.append({"call": number, "failures": failures})

    @property
    def passed(self) -> bool:
        """Whether every call was made and well, and no rule was broken beside them."""
        return self._ok == self._plan.calls and not self._gate.violations and not self._complaints

    @property
    def _complaints(self) -> list[str]:
        return self._model.violations if self._model is not None else []

    def summary(self) -> dict[str, Any]:
        """Give the figures; a missing measurement is None, never 0."""
        return {
            "calls": {
                "wanted": self._plan.calls,
                "made": self._made,
                "answered": self._answered,
                "ok": self._ok,
                "failed": self._done - self._ok,
                "most_at_once": self._most_at_once,
            },
            "success_percent": round(100 * self._ok / self._made, 2) if self._made else None,
            "seconds": round(self._took_s, 2),
            "setup_ms": self._setup.figures(),
            "rtp_interval_ms": self._intervals.figures(),
            "rtp_lost": self._lost,
            "violations": dict(Counter(one.rule for one in self._gate.violations)),
            "violation_texts": [str(one) for one in self._gate.violations[:20]],
            "model_violations": self._complaints[:20],
            "failures": dict(self._failures),
            "failed_calls": self._failed,
            # The tester's own word on how far its figures can be trusted.
            "tester_frames_skipped": self._skipped,
        }
