"""No RTP while the model says nothing."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.streams import Stream


class RtpStopsBetweenPhrases(BaseGateway):
    """Sends what it has, and nothing when it has nothing."""

    def send_frame(self, stream: Stream, frame: bytes | None) -> None:
        if frame is not None:
            super().send_frame(stream, frame)


SIN = Sin(
    gateway=RtpStopsBetweenPhrases,
    did="a gateway that is driven by the model's audio; the gate takes it for dead",
    row="RTP goes on",
    message="s without RTP",
    also=(
        *(
            "greeting",
            "second turn",
            "barge-in",
            "hang-up",
            "no speech",
            "goodbye",
            "model drops",
            "slow answer",
        ),
        *("left unsaid", "rested port", "alias", "mirror image"),
    ),
    why="RTP is judged in every call: in the others the model never pauses",
)


if __name__ == "__main__":
    serve(RtpStopsBetweenPhrases)
