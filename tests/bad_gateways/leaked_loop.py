"""One event loop more after each call."""

import asyncio

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LEAK_GATE, LEAK_GATE_WHY, Sin


class LeakedLoop(BaseGateway):
    """Makes an event loop for each call and closes none."""

    leaked: tuple[asyncio.AbstractEventLoop, ...] = ()

    def call_answered(self, call: Call) -> None:
        self.leaked += (asyncio.new_event_loop(),)

    async def repent(self) -> None:
        for loop in self.leaked:
            loop.close()


SIN = Sin(
    gateway=LeakedLoop,
    did="the old agent: loop.close() stood behind a line that always raised",
    row="hang-up",
    message="1 loops left behind: ...",
    also=LEAK_GATE,
    why=LEAK_GATE_WHY,
)


if __name__ == "__main__":
    serve(LeakedLoop)
