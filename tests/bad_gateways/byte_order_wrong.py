"""The two bytes of each sample of the model's voice change places."""

import numpy as np

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.calls import Call
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import STAMPS, STAMPS_WHY, Sin


class ByteOrderWrong(BaseGateway):
    """Sends L16 of the network's byte order where little-endian is meant: loud noise."""

    def model_spoke(self, call: Call, pcm8: bytes) -> None:
        super().model_spoke(call, np.frombuffer(pcm8, "<i2").byteswap().tobytes())


SIN = Sin(
    gateway=ByteOrderWrong,
    did="anyone who reads that L16 on the network is big-endian; -6 dBFS pass for speech",
    row="two-way audio",
    message="only identity 128 NOT proven to be heard: 0 own stamps",
    also=STAMPS,
    why=STAMPS_WHY,
)


if __name__ == "__main__":
    serve(ByteOrderWrong)
