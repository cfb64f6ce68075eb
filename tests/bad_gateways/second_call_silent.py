"""The first call is fine; the caller of every later one hears nothing."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class SecondCallSilent(BaseGateway):
    """Sends the model's voice to what the first call has left behind."""

    def model_spoke(self, call: Call, pcm8: bytes) -> None:
        if call.number == 1:
            super().model_spoke(call, pcm8)


SIN = Sin(
    gateway=SecondCallSilent,
    did="the old agent: what gave this project its first scenario",
    row="two-way audio",
    message="only identity 129 NOT proven to be heard: 0 own stamps",
    also=("greeting", "left unsaid", "at once", "stale BYE"),
    why="each of them listens to a second call",
)


if __name__ == "__main__":
    serve(SecondCallSilent)
