"""The model is heard for one turn, and never again."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class SilentAfterFirstTurn(BaseGateway):
    """Reads the SDK's receive() once: it ends with the turn."""

    def model_spoke(self, call: Call, pcm8: bytes) -> None:
        if call.turns == 0:
            super().model_spoke(call, pcm8)


SIN = Sin(
    gateway=SilentAfterFirstTurn,
    did="whoever believes that receive() lasts as long as the session (python-genai#1224)",
    row="second turn",
    message="only identity 128 NOT proven to be heard: 2 own stamps of at least 4",
    also=("barge-in",),
    why="the turn after the interruption is the second",
)

if __name__ == "__main__":
    serve(SilentAfterFirstTurn)
