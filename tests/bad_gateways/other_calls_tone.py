"""Of two callers at once, one hears the other's model."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class OtherCallsTone(BaseGateway):
    """Finds the stream to play to by what all calls of a gate have in common: its address."""

    def model_spoke(self, call: Call, pcm8: bytes) -> None:
        first = next(each for each in self.calls if each.dialog.source == call.dialog.source)
        super().model_spoke(first, pcm8)


SIN = Sin(
    gateway=OtherCallsTone,
    did="the old agent: RTP of all calls on one port, told apart by the gate's address",
    row="at once",
    message="FOREIGN (identity 129",
)


if __name__ == "__main__":
    serve(OtherCallsTone)
