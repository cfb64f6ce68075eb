"""The caller's 15 s begin to run while it rings."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class TimeoutBeforeAnswer(BaseGateway):
    """Starts the silence clock with the INVITE."""

    def silence_starts_at(self, call: Call, answered_at: float) -> float:
        return call.invited_at


SIN = Sin(
    gateway=TimeoutBeforeAnswer,
    did="whoever has one clock for the call: what the model needs is taken from the caller",
    row="slow answer",
    message="BYE 10.0 s after the answer",
)


if __name__ == "__main__":
    serve(TimeoutBeforeAnswer)
