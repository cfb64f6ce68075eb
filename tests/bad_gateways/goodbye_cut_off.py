"""Hangs up when the model has sent its farewell, not when it was heard."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class GoodbyeCutOff(BaseGateway):
    """Takes generationComplete for the end of the sound: the model sends faster than it speaks."""

    def farewell_is_over(self, call: Call) -> bool:
        return call.farewell_at is not None and call.generation_over


SIN = Sin(
    gateway=GoodbyeCutOff,
    did="whoever takes the end of the data for the end of the sound",
    row="goodbye",
    message="NOT proven to be heard: ... own stamps of at least 4",
)


if __name__ == "__main__":
    serve(GoodbyeCutOff)
