"""The port of a call that just ended is lent to the next."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class PortNotRested(BaseGateway):
    """Lends the port that came back last."""

    warm: tuple[int, ...] = ()

    def lend_port(self, now: float) -> int:
        if not self.warm:
            return super().lend_port(now)
        *rest, port = self.warm
        self.warm = tuple(rest)
        return port

    def give_port_back(self, port: int, now: float) -> None:
        self.warm += (port,)


SIN = Sin(
    gateway=PortNotRested,
    did="the old agent had one RTP port for all; a pool as a stack is no better",
    row="rested port",
    message="was lent again before it had rested",
)


if __name__ == "__main__":
    serve(PortNotRested)
