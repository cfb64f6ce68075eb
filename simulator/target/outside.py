"""A witness of another process: asks from time to time, and never holds the calls up meanwhile."""

import asyncio
from collections.abc import Callable

from simulator.target.evidence import SamplingWitness
from simulator.witness.census import Snapshot

WITHIN_S = 8.0
"""What is closing may take so long; what is still there then is left behind."""
STEP_S = 0.1
CALM_ROUNDS = 3


class OutsideWitness(SamplingWitness):
    """Looks at a gateway in a process of its own, or elsewhere."""

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        super().__init__(take=take)
        self._look = take
        self._latest: Snapshot | None = None

    async def settle(self, wait_s: float = 0.0) -> None:
        """Wait `wait_s`, then until the counts stop falling and nothing new is left; bounded."""
        await asyncio.sleep(wait_s)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WITHIN_S
        sizes: list[int] = []
        while loop.time() < deadline:
            # in a thread: while we wait for the answer, packets must be read when they come
            now = self._latest = await loop.run_in_executor(None, self._look)
            sizes.append(len(now.traces))
            calm = len(set(sizes[-CALM_ROUNDS:])) == 1 and len(sizes) >= CALM_ROUNDS
            if calm and not (self._before and now.since(self._before)):
                return
            await asyncio.sleep(STEP_S)

    def snapshot(self) -> Snapshot:
        """Give what was there when last looked."""
        return self._latest or self._look()
