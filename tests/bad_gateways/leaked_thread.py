"""One thread more after each call."""

import threading
from typing import Self

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LEAK_GATE, LEAK_GATE_WHY, Sin


class LeakedThread(BaseGateway):
    """Starts a thread for each call and tells it of no end."""

    async def __aenter__(self) -> Self:
        self.never = threading.Event()
        return await super().__aenter__()

    def call_answered(self, call: Call) -> None:
        threading.Thread(target=self.never.wait, name=f"{call.name}-vad", daemon=True).start()

    async def repent(self) -> None:
        self.never.set()


SIN = Sin(
    gateway=LeakedThread,
    did="the old agent: 3 to 5 threads a call, ended by flags that nobody set",
    row="hang-up",
    message="1 threads left behind: call-1-vad",
    also=LEAK_GATE,
    why=LEAK_GATE_WHY,
)


if __name__ == "__main__":
    serve(LeakedThread)
