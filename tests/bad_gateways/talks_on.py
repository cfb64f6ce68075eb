"""The model is interrupted, and what it had sent ahead is played to the end."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class TalksOn(BaseGateway):
    """Keeps its playout when the service says `interrupted`."""

    def caller_interrupts(self, call: Call) -> None:
        return


SIN = Sin(
    gateway=TalksOn,
    did="whoever takes `interrupted` for the model's affair: it sends faster than it speaks",
    row="barge-in",
    message="assert [...] == [100, 101, 102, 103, 104, 105]",
)

if __name__ == "__main__":
    serve(TalksOn)
