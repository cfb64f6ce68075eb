"""24 kHz sound taken for 16 kHz."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import STAMPS, STAMPS_WHY, Sin
from tests.bad_gateways.sounds import Convert


class RateWrong(BaseGateway):
    """Knows one rate for both directions; the caller hears a slow, deep voice."""

    def new_rate(self, from_hz: int, to_hz: int) -> Convert:
        return super().new_rate(min(from_hz, 16000), to_hz)


SIN = Sin(
    gateway=RateWrong,
    did="many a first version: Gemini hears 16 kHz and speaks 24 kHz",
    row="two-way audio",
    message="only identity 128 NOT proven to be heard: 0 own stamps",
    also=(*STAMPS, "alias"),
    why=f"{STAMPS_WHY}; and a tone is another one",
)


if __name__ == "__main__":
    serve(RateWrong)
