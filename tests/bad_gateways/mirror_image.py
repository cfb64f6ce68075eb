"""A change of rate that says every sample twice."""

import numpy as np

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.sounds import Convert


class MirrorImage(BaseGateway):
    """Doubles the caller's samples: above 4 kHz the model hears a mirror image."""

    def new_rate(self, from_hz: int, to_hz: int) -> Convert:
        if to_hz < from_hz:
            return super().new_rate(from_hz, to_hz)
        return lambda pcm16: np.repeat(np.frombuffer(pcm16, "<i2"), to_hz // from_hz).tobytes()


SIN = Sin(
    gateway=MirrorImage,
    did="whoever takes 8 to 16 kHz for simple",
    row="mirror image",
    message="dB of the sound is above 4 kHz",
)


if __name__ == "__main__":
    serve(MirrorImage)
