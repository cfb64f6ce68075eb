"""From the second call on the model does not hear the caller."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.sounds import SILENCE


class SecondCallerUnheard(BaseGateway):
    """The first call's session still takes all RTP of this gate."""

    def caller_spoke(self, call: Call, pcm8: bytes) -> None:
        super().caller_spoke(call, pcm8 if call.number == 1 else SILENCE)


SIN = Sin(
    gateway=SecondCallerUnheard,
    did="the old agent: RTP went to the first session of the same address, dead or alive",
    row="two-way audio",
    message="only identity 2 NOT proven to be heard: 0 own stamps",
    also=("at once",),
    why="it listens to a second caller",
)

if __name__ == "__main__":
    serve(SecondCallerUnheard)
