"""One task more after each call."""

import asyncio

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LEAK_GATE, LEAK_GATE_WHY, Sin


class LeakedTask(BaseGateway):
    """Starts a task for each call that nobody owns."""

    leaked: tuple[asyncio.Task[None], ...] = ()

    def call_answered(self, call: Call) -> None:
        forever = asyncio.sleep(float("inf"))
        self.leaked += (asyncio.create_task(forever, name=f"{call.name}/watchdog"),)

    async def repent(self) -> None:
        for task in self.leaked:
            task.cancel()
        await asyncio.gather(*self.leaked, return_exceptions=True)


SIN = Sin(
    gateway=LeakedTask,
    did='the old agent: "Task was destroyed but it is pending"',
    row="hang-up",
    message="1 tasks left behind: call-1/watchdog",
    also=LEAK_GATE,
    why=LEAK_GATE_WHY,
)


if __name__ == "__main__":
    serve(LeakedTask)
