"""A change of rate without a filter: what lies above 4 kHz folds back."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.sounds import Convert, without_filter


class RatecvAlias(BaseGateway):
    """Uses audioop.ratecv, which only interpolates."""

    def new_rate(self, from_hz: int, to_hz: int) -> Convert:
        if to_hz > from_hz:
            return super().new_rate(from_hz, to_hz)
        return without_filter(from_hz, to_hz)


SIN = Sin(
    gateway=RatecvAlias,
    did="Google's own telephone example, and whoever copies it",
    row="alias",
    message="5 kHz folded back, heard at -19.9 dBFS",
)


if __name__ == "__main__":
    serve(RatecvAlias)
