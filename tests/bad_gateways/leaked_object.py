"""The object of each call is kept for ever."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import LEAK_GATE, LEAK_GATE_WHY, Sin


class LeakedObject(BaseGateway):
    """Keeps a list of its calls, those that are over included."""

    past: tuple[Call, ...] = ()

    def call_over(self, call: Call) -> None:
        self.past += (call,)

    async def repent(self) -> None:
        self.past = ()


SIN = Sin(
    gateway=LeakedObject,
    did="the old agent: two dictionaries of sessions, and only one was cleaned",
    row="hang-up",
    message="1 objects left behind: Call",
    also=(*LEAK_GATE, "cancel"),
    why=f"{LEAK_GATE_WHY}; of a cancelled call, too",
)


if __name__ == "__main__":
    serve(LeakedObject)
