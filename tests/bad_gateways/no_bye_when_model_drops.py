"""The model is gone, and the caller waits in silence."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class NoByeWhenModelDrops(BaseGateway):
    """Leaves it to the caller to hang up."""

    async def model_lost(self, call: Call) -> None:
        await call.dialog.over.wait()


SIN = Sin(
    gateway=NoByeWhenModelDrops,
    did="any gateway whose receive task ends and is looked at by nobody",
    row="model drops",
    message="not ended within 35.0 s",
)


if __name__ == "__main__":
    serve(NoByeWhenModelDrops)
